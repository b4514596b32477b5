"""Addresses of the citizen's pages about money, and of the auditor."""

app_name = "payments"
urlpatterns: list = []
