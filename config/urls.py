from django.contrib import admin
from django.urls import include, path

from digest.admin import mail_urls, preview_urls

urlpatterns = [
    path("admin/", include([*mail_urls(), *preview_urls()])),
    path("admin/", admin.site.urls),
    path("mailbox/", include("embedded.urls")),
    path("webhooks/", include("digest.mail.tracking.webhooks")),
    path("", include("digest.urls")),
    path("", include("subscriptions.urls")),
]
