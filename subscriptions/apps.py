from importlib import import_module

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    verbose_name = "Readers"

    def ready(self) -> None:
        import_module("subscriptions.checks")  # registers the checks of settings
