"""The REST interface: spots, quotes, bookings."""
