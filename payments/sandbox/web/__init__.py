"""The sandbox over HTTP: the API, the hosted payment page, and the controls."""
