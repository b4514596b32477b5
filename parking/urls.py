"""Addresses of the citizen's pages that need no money."""

app_name = "parking"
urlpatterns: list = []
