"""The addresses that meters call, below /edge/v1/."""

from django.urls import path

from parking import edge

app_name = "edge"
urlpatterns = [
    path("time", edge.time, name="time"),
    path("meters/<str:serial>/plan", edge.plan, name="plan"),
    path("meters/<str:serial>/acks", edge.acks, name="acks"),
    path("meters/<str:serial>/state", edge.state, name="state"),
    path("meters/<str:serial>/events", edge.events, name="events"),
]
