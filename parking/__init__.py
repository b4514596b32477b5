"""Spots, bookings, prices and lights: all that makes sense before anybody pays."""
