from django.urls import path

from subscriptions import access_token_views, link_pages, views

app_name = "subscriptions"
urlpatterns = [
    path("subscribe/", views.subscribe, name="subscribe"),
    path("subscribe/embed/", views.embed, name="embed"),
    path("subscribe/check-your-inbox/", views.check_inbox, name="check_inbox"),
    path("help/interests/", views.interests_help, name="interests_help"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("preferences/", link_pages.ask_for_link, name="ask_for_link"),
    path("preferences/sent/", link_pages.link_sent, name="link_sent"),
    path("link/<str:token>/", link_pages.emailed, name="emailed"),
    path("preferences/<str:token>/", views.preferences, name="preferences"),
    path("preferences/<str:token>/pause/", views.pause, name="pause"),
    path("preferences/<str:token>/secrets/", access_token_views.secrets, name="secrets"),
    path("preferences/<str:token>/void/", link_pages.void_links, name="void_links"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
