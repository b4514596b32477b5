"""A stand-in that speaks the part of Stripe's HTTP API which a booking site needs.

It runs as its own process (``python -m payments.sandbox``), uses the standard library only and
imports nothing of the site. ``README.md`` beside this file says what it does and leaves out.
"""
