import datetime as dt

from django.urls import path, re_path, register_converter

from digest import api, feeds, gallery, metrics, views


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
    path("feeds/papers.atom", feeds.papers, name="feed_papers"),
    path("feeds/search.atom", feeds.search, name="feed_search"),
    path("api/v1/papers/", api.papers, name="api_papers"),
    path("api/v1/papers/<int:pk>/", api.paper, name="api_paper"),
    path("api/v1/editions/", api.editions, name="api_editions"),
    path("api/v1/openapi.json", api.schema, name="api_schema"),
    # Only with a slash at its end, so that "api/v1/papers" is still sent on to "api/v1/papers/".
    re_path(r"^api/(?:.*/)?$", api.nothing, name="api_nothing"),
    path("gallery/", gallery.gallery, name="gallery"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
]
