"""The addresses below /mailbox/."""

from django.urls import path

from embedded import views

app_name = "embedded"
urlpatterns = [
    path("", views.mailbox, name="mailbox"),
    path("<str:name>/", views.message, name="message"),
    path("<str:name>/html", views.part, name="part"),
    path("<str:name>/source", views.source, name="source"),
]
