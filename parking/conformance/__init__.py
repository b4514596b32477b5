"""Does a vendor's meter keep the protocol? A site that asks it, and a list of rules that judge.

The kit calls the meter as the city would and listens where the meter calls. It knows nothing of
Django or of a database: a serial, a key and the numbers of the lamps are all that it is given.
"""
