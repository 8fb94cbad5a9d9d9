import datetime as dt

from django.urls import path, register_converter

from digest import views


class DateConverter:
    """YYYY-MM-DD that is a real day."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        return value.isoformat()


register_converter(DateConverter, "date")

app_name = "digest"
urlpatterns = [
    path("", views.today, name="today"),
    path("papers/<date:date>/", views.archive, name="archive"),
    path("paper/<int:pk>/", views.paper, name="paper"),
    path("search", views.search, name="search"),
    path("preview/", views.preview, name="preview"),
    path("digest/<str:token>/", views.web_copy, name="web_copy"),
    path("feedback/<str:token>/", views.feedback, name="feedback"),
    path("healthz", views.healthz, name="healthz"),
]
