"""Ways in, by allauth: a code by e-mail, a password, a passkey, the city's own login."""
