from django.contrib import admin
from django.urls import include, path

from accounts.urls import urlpatterns as account_urls
from digest.admin import mail_urls, preview_urls

urlpatterns = [
    path("admin/", include([*account_urls, *mail_urls(), *preview_urls()])),
    path("admin/", admin.site.urls),
    path("mailbox/", include("embedded.urls")),
    path("webhooks/", include("digest.mail.tracking.webhooks")),
    path("", include("digest.urls")),
    path("", include("subscriptions.urls")),
]
