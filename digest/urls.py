import datetime as dt

from django.urls import path, re_path, register_converter

from digest.operations import metrics
from digest.web.api import endpoints, openapi
from digest.web.api import own as own_api
from digest.web.feeds import atom
from digest.web.feeds import own as own_feed
from digest.web.pages import archives, digests, feedback, gallery, live_preview, paper, search, subscriber, suggestions


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
    path("preview/", digests.preview, name="preview"),
    path("preview/mail/", digests.preview_mail, name="preview_mail"),
    path("live/", live_preview.live, name="live"),
    path("suggest/", suggestions.suggest, name="suggest"),
    path("digest/<str:token>/", digests.web_copy, name="web_copy"),
    path("feedback/<str:token>/", feedback.feedback, name="feedback"),
    path("preferences/<str:token>/suggest/", suggestions.suggest_for, name="suggest_for"),
    path("preferences/<str:token>/why/", subscriber.why, name="why"),
    path("preferences/<str:token>/saved/", subscriber.saved, name="saved"),
    path("preferences/<str:token>/said/", subscriber.said, name="said"),
    path("preferences/<str:token>/saved.bib", subscriber.saved_bib, name="saved_bib"),
    path("preferences/<str:token>/saved.ris", subscriber.saved_ris, name="saved_ris"),
    path("preferences/<str:token>/data.json", subscriber.data, name="data"),
    path("preferences/<str:token>/erase/", subscriber.erase, name="erase"),
    path("feeds/papers.atom", atom.papers, name="feed_papers"),
    path("feeds/search.atom", atom.search, name="feed_search"),
    path("feeds/mine/<str:secret>.atom", own_feed.mine, name="feed_mine"),
    path("api/v1/", endpoints.index, name="api_index"),
    path("api/v1/papers/", endpoints.papers, name="api_papers"),
    path("api/v1/papers/<int:pk>/", endpoints.paper, name="api_paper"),
    path("api/v1/editions/", endpoints.editions, name="api_editions"),
    path("api/v1/openapi.json", openapi.schema, name="api_schema"),
    path("api/v1/me/", own_api.me, name="api_me"),
    path("api/v1/me/digests/", own_api.digests, name="api_me_digests"),
    path("api/v1/me/saved/", own_api.saved, name="api_me_saved"),
    path("api/v1/me/feedback/", own_api.feedback, name="api_me_feedback"),
    # Only with a slash at its end, so that "api/v1/papers" is still sent on to "api/v1/papers/".
    re_path(r"^api/(?:[\s\S]*/)?\Z", endpoints.nothing, name="api_nothing"),
    path("gallery/", gallery.gallery, name="gallery"),
    path("favicon.ico", digests.favicon, name="favicon"),
    path("healthz", digests.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
]
