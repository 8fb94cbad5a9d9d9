from django.urls import path

from accounts import views

# In front of the admin's own.
urlpatterns = [
    path("second-factor/", views.enter_code, name="second_factor"),
    path("second-factor/set-up/", views.set_up, name="second_factor_set_up"),
    path("second-factor/turn-off/", views.turn_off, name="second_factor_turn_off"),
    path("second-factor/qr.svg", views.qr_code, name="second_factor_qr"),
]
