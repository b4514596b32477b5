"""A street of meters in one process: for the demo, for tests, and to try a city's day.

It speaks the meter protocol as a vendor's device would and knows nothing of the site but what a
technician gives to a meter: its serial, its keys, its spots. No Django, no database, in here.
"""
