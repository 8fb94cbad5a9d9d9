"""Who sees what in the admin: a superuser, somebody who may view everything, and staff without permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from auditlog import audit
from digest.models import KeptPage, Paper, Source
from digest.papers.ingest import ingest
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db

# Pages that belong to whoever is signed in, not to a model.
FOR_ALL_STAFF = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "search", "toggle_sidebar",
}  # fmt: skip
FREE = {"", "(?P<url>.*)$"}  # the catch-all, which answers 404


def admin_urls() -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name for reverse, argument names) of each URL below /admin/."""

    def walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        for one in resolver.url_patterns:
            where = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
                yield from walk(one, where, inner)
            elif isinstance(one, URLPattern) and one.name:
                groups = getattr(one.pattern, "regex", None)
                named = one.pattern.converters or (groups.groupindex if groups else {})
                yield where, f"{namespace}{one.name}", tuple(named)

    for where, name, arguments in walk(get_resolver(), "", ""):
        if where.startswith("admin/"):
            yield name, arguments


ALL = sorted(set(admin_urls()))


def is_for_all_staff(name: str) -> bool:
    return name.split(":")[-1] in FOR_ALL_STAFF or "second_factor" in name


@pytest.fixture
def rows(alice: Subscriber, papers: list[Paper], staff: User) -> None:
    """A row of each model that has pages."""
    select_due(MORNING)
    Suppression.objects.add_address("zoe@example.org", Suppression.Reason.BY_HAND, MORNING)
    source = Source.objects.get()
    KeptPage.objects.create(
        source=source,
        url="https://x.example.org/",
        content=b"x\x9c\x03\x00\x00\x00\x00\x01",
        error="?",
        fetched_at=MORNING,
    )
    audit.record("pause", MORNING, user=staff)


@pytest.fixture
def staff() -> User:
    return User.objects.create(username="sam", is_staff=True)


@pytest.fixture
def viewer() -> User:
    user = User.objects.create(username="vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address_of(name: str, arguments: tuple[str, ...]) -> str | None:
    """The address of a page, with the key of an existing row; None where no row has such a page."""
    values: dict[str, Any] = {}
    for argument in arguments:
        values[argument] = _value(name, argument)
        if values[argument] is None:
            return None
    return reverse(name, kwargs=values)


def _value(name: str, argument: str) -> Any:
    if argument == "action":
        return "pause"
    if argument in ("app_label", "url"):
        return "digest"
    if argument in ("content_type_id", "id"):
        return User.objects.get(username="sam").pk
    if "next_mail" in name or "resend" in name:
        return Subscriber.objects.get().pk
    app, model = name.split(":")[-1].split("_")[:2]
    found = next(
        (one for one in admin.site._registry if (one._meta.app_label, one._meta.model_name) == (app, model)), None
    )
    row = found.objects.first() if found else None
    return row.pk if row else None


def pages(*, of_models: bool) -> list[str]:
    """The addresses below /admin/ that lead to an existing row; those of models alone, or all."""
    names = [one for one in ALL if not (of_models and is_for_all_staff(one[0]))]
    found = [address for name, arguments in names if (address := address_of(name, arguments))]
    assert len(found) > 60
    return found


def test_staff_without_permissions_open_nothing(rows: None, staff: User) -> None:
    client, open_ones = signed_in(staff), []
    for address in pages(of_models=True):
        for answer in (client.get(address), client.post(address, {"action": "x", "post": "yes"})):
            if answer.status_code not in (403, 404, 405):
                open_ones.append((address, answer.status_code))
    assert not open_ones
    assert Subscriber.objects.count() == 1


def test_a_viewer_opens_the_lists_and_changes_nothing(rows: None, staff: User, viewer: User) -> None:
    client, before = signed_in(viewer), state()
    for address in pages(of_models=True):
        for answer in (
            client.get(address),
            client.post(address, {"action": "delete_selected", "_selected_action": "1", "post": "yes"}),
        ):
            assert answer.status_code in (200, 302, 403, 404, 405), address
    assert state() == before
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        assert client.get(reverse(name)).status_code == 200, name


def state() -> list[object]:
    models = [model for model in admin.site._registry if model._meta.app_label not in ("auditlog", "admin")]
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_superuser_opens_every_page(rows: None, admin_client: Client) -> None:
    for address in pages(of_models=False):
        # 403 where nobody may: adding rows that only the service writes.
        assert admin_client.get(address).status_code in (200, 302, 403, 404, 405), address


def test_every_list_of_the_sidebar_opens_for_a_superuser(admin_client: Client, rows: None) -> None:
    for group in admin_client.get(reverse("admin:index")).context["sidebar_navigation"]:
        for item in group["items"]:
            assert admin_client.get(item["link"]).status_code == 200, item["link"]


def test_the_dashboard_of_staff_without_permissions_is_empty_and_friendly(rows: None, staff: User) -> None:
    answer = signed_in(staff).get(reverse("admin:index"))
    page = answer.content.decode()
    assert "Your account has no permissions yet" in page
    for word in ("alice", "reader", "Complaints", "Hugging Face", "Mail is", "Add a source", "Failed sign-ins"):
        assert word not in page.split("<main")[-1], word
    assert [item["title"] for group in answer.context["sidebar_navigation"] for item in group["items"]] == ["Dashboard"]


@pytest.mark.parametrize(
    ("codename", "shown", "hidden"),
    [
        ("view_subscriber", "not confirmed", "Complaints"),
        ("view_source", "Hugging Face Daily Papers", "readers"),
        ("view_mailgate", "Complaints of the last 7 days", "Hugging Face"),
        ("view_mailday", "Mails sent a day", "Complaints"),
        ("view_paper", "papers to match", "readers looked at"),
        ("view_delivery", "mails sent", "new paper"),
    ],
)
def test_each_block_of_the_dashboard_asks_for_its_own_permission(
    codename: str, shown: str, hidden: str, rows: None, staff: User
) -> None:
    staff.user_permissions.set(Permission.objects.filter(codename=codename))
    page = signed_in(staff).get(reverse("admin:index")).content.decode()
    assert shown in page
    assert hidden not in page
    assert "no permissions yet" not in page


def test_the_buttons_of_the_mail_are_for_those_who_may_press_them(rows: None, viewer: User) -> None:
    page = signed_in(viewer).get(reverse("admin:index")).content.decode()
    assert "Complaints of the last" in page
    assert "/admin/mail/" not in page and "Add a source" not in page


@pytest.mark.parametrize("name", ["digest_digest", "digest_delivery", "digest_feedback"])
def test_addresses_are_shown_to_those_who_may_view_subscribers(name: str, rows: None, staff: User) -> None:
    codename = f"view_{name.split('_')[1]}"
    staff.user_permissions.set(Permission.objects.filter(codename=codename))
    client, page = signed_in(staff), reverse(f"admin:{name}_changelist")
    assert "alice@example.org" not in client.get(page).content.decode()
    found = [client.get(page, {"q": text}).context["cl"].result_count for text in ("alice", "nobody")]
    assert found[0] == found[1], "the search must not tell either"
    staff.user_permissions.add(Permission.objects.get(codename="view_subscriber"))
    text = signed_in(User.objects.get(pk=staff.pk)).get(page).content.decode()
    assert ("alice@example.org" in text) == (name != "digest_feedback")  # she gave none


def test_a_subscribers_page_shows_only_what_may_be_viewed(rows: None, staff: User, alice: Subscriber) -> None:
    staff.user_permissions.set(Permission.objects.filter(codename="view_subscriber"))
    page = signed_in(staff).get(reverse("admin:subscriptions_subscriber_change", args=[alice.pk])).content.decode()
    assert "alice@example.org" in page
    for word in ("chain of thought", "No refusal is counted", "None yet", "The next mail", "Resend"):
        assert word not in page, word


def test_a_sources_page_hides_unreadable_pages_from_those_who_may_not_view_them(rows: None, staff: User) -> None:
    staff.user_permissions.set(Permission.objects.filter(codename="view_source"))
    page = reverse("admin:digest_source_change", args=[Source.objects.get().pk])
    assert "keptpage" not in signed_in(staff).get(page).content.decode()
    assert "keptpage" not in signed_in(staff).get(reverse("admin:index")).content.decode()


def test_a_source_is_added_only_with_that_permission(viewer: User) -> None:
    ingest.huggingface()
    page = reverse("admin:digest_source_add")
    assert signed_in(viewer).get(page).status_code == 403
    assert signed_in(viewer).post(page, {"address": "https://x.example.org"}).status_code == 403
