from django.urls import include, path

urlpatterns = [path("mailbox/", include("embedded.urls"))]
