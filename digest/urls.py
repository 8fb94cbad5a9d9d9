import datetime as dt

from django.urls import path, re_path, register_converter

from digest import api, feeds, metrics
from digest.api import own as own_api
from digest.feeds import own as own_feed
from digest.pages import archives, feedback, gallery, live, paper, proposals, reader, search, views


class DateConverter:
    """YYYY-MM-DD that is a real day, of a year that a list of papers may have."""

    regex = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        return value.isoformat()


class WeekConverter:
    """YYYY-Www of ISO 8601, as the date of its Monday."""

    regex = r"[12][0-9]{3}-W[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        return f"{value:%G-W%V}"


class MonthConverter:
    """YYYY-MM, as the date of its first day."""

    regex = r"[12][0-9]{3}-[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        return dt.date.fromisoformat(f"{value}-01")

    def to_url(self, value: dt.date) -> str:
        return f"{value:%Y-%m}"


register_converter(DateConverter, "date")
register_converter(WeekConverter, "week")
register_converter(MonthConverter, "month")

app_name = "digest"
urlpatterns = [
    path("", archives.today, name="today"),
    path("papers/", archives.calendar, name="calendar"),
    path("papers/<date:date>/", archives.archive, name="archive"),
    path("papers/week/<week:date>/", archives.week, name="week"),
    path("papers/month/<month:date>/", archives.month, name="month"),
    path("paper/<int:pk>/", paper.paper, name="paper"),
    path("paper/<int:pk>/cite.bib", paper.bibtex, name="bibtex"),
    path("paper/<int:pk>/cite.ris", paper.ris, name="ris"),
    path("search", search.search, name="search"),
    path("preview/", views.preview, name="preview"),
    path("preview/mail/", views.preview_mail, name="preview_mail"),
    path("live/", live.live, name="live"),
    path("suggest/", proposals.suggest, name="suggest"),
    path("digest/<str:token>/", views.web_copy, name="web_copy"),
    path("feedback/<str:token>/", feedback.feedback, name="feedback"),
    path("preferences/<str:token>/suggest/", proposals.suggest_for, name="suggest_for"),
    path("preferences/<str:token>/why/", reader.why, name="why"),
    path("preferences/<str:token>/saved/", reader.saved, name="saved"),
    path("preferences/<str:token>/saved.bib", reader.saved_bib, name="saved_bib"),
    path("preferences/<str:token>/saved.ris", reader.saved_ris, name="saved_ris"),
    path("preferences/<str:token>/data.json", reader.data, name="data"),
    path("preferences/<str:token>/erase/", reader.erase, name="erase"),
    path("feeds/papers.atom", feeds.papers, name="feed_papers"),
    path("feeds/search.atom", feeds.search, name="feed_search"),
    path("feeds/mine/<str:secret>.atom", own_feed.mine, name="feed_mine"),
    path("api/v1/", api.index, name="api_index"),
    path("api/v1/papers/", api.papers, name="api_papers"),
    path("api/v1/papers/<int:pk>/", api.paper, name="api_paper"),
    path("api/v1/editions/", api.editions, name="api_editions"),
    path("api/v1/openapi.json", api.schema, name="api_schema"),
    path("api/v1/me/", own_api.me, name="api_me"),
    path("api/v1/me/digests/", own_api.digests, name="api_me_digests"),
    path("api/v1/me/saved/", own_api.saved, name="api_me_saved"),
    path("api/v1/me/feedback/", own_api.feedback, name="api_me_feedback"),
    # Only with a slash at its end, so that "api/v1/papers" is still sent on to "api/v1/papers/".
    re_path(r"^api/(?:[\s\S]*/)?\Z", api.nothing, name="api_nothing"),
    path("gallery/", gallery.gallery, name="gallery"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
]
