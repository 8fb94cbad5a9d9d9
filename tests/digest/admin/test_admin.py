"""The operator's pages."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from digest.mail import delivery
from digest.models import Digest, MailDay, Paper, Source
from digest.papers.ingest import ingest
from digest.picks.selection.select import select_due
from subscriptions import bounces
from subscriptions.models import Consent, Interest, Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.smtp import Server

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LISTS = [
    "digest_source", "digest_edition", "digest_paper", "digest_match", "digest_digest", "digest_delivery",
    "digest_feedback", "subscriptions_subscriber", "subscriptions_interest", "subscriptions_suppression",
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_each_list_opens_and_can_be_searched(
    admin_client: Client, alice: Subscriber, papers: list[Paper], name: str
) -> None:
    select_due(MORNING)
    assert admin_client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:{name}_changelist"), {"q": "diffusion"}).status_code in (200, 302)


@pytest.mark.parametrize("name", LISTS)
def test_each_row_opens(admin_client: Client, alice: Subscriber, papers: list[Paper], name: str) -> None:
    select_due(MORNING)
    app, model = name.split("_")
    from django.apps import apps

    row = apps.get_model(app, model).objects.first()
    if row is not None:
        assert admin_client.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200


def test_the_next_mail_is_shown_as_it_would_be_sent(
    admin_client: Client, alice: Subscriber, papers: list[Paper], smtp_server: Server
) -> None:
    with time_machine.travel(MORNING, tick=False):
        shown = admin_client.get(reverse("next_mail", args=[alice.pk]))
        frame = admin_client.get(reverse("next_mail_html", args=[alice.pk]))
        assert not Digest.objects.exists()
        select_due(MORNING)
        delivery.deliver_all(MORNING)
    sent = smtp_server.to("alice@example.org")[0]
    assert str(sent["Subject"]) in shown.content.decode()
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    for title in ("Diffusion for Weather", "Thinking Aloud"):
        assert title.split()[-1] in frame.content.decode()
    assert alice.code not in shown.content.decode() + frame.content.decode()


def test_the_next_mail_says_when_nothing_matches(admin_client: Client, papers: list[Paper]) -> None:
    reader = make_reader("nina@example.org", "entomology")
    assert "no mail would be sent" in admin_client.get(reverse("next_mail", args=[reader.pk])).content.decode()


def test_the_next_mail_is_for_staff_only(client: Client, alice: Subscriber) -> None:
    assert client.get(reverse("next_mail", args=[alice.pk])).status_code == 302


def test_the_dashboard_says_who_got_nothing(admin_client: Client, alice: Subscriber, papers: list[Paper]) -> None:
    make_reader("nina@example.org", "entomology")
    with time_machine.travel(MORNING, tick=False):
        admin_client.force_login(_staff(admin_client))
        select_due(MORNING)
        text = admin_client.get(reverse("admin:index")).content.decode()
    digests, nothing = text.index("readers looked at"), text.index("without a match, no mail")
    assert ">2<" in text[digests - 200 : digests]
    assert ">1<" in text[nothing - 200 : nothing]
    assert "Hugging Face Daily Papers" in text
    assert "Dashboard | Paper Round" in text


def test_a_number_on_the_dashboard_agrees_with_its_word(admin_client: Client, alice: Subscriber) -> None:
    page = text_of(admin_client, reverse("admin:index"))
    assert "1 reader 0 not confirmed 1 reader due 0 mails waiting" in page
    make_reader("nina@example.org", "entomology")
    assert "2 readers 0 not confirmed 2 readers due" in text_of(admin_client, reverse("admin:index"))


def test_each_button_of_the_mail_says_what_it_does(admin_client: Client) -> None:
    page = text_of(admin_client, reverse("admin:index"))
    assert "Drain Mails that workers have taken go out, no more are taken" in page
    assert "Pause Stops within seconds" in page
    admin_client.post("/admin/mail/drain/")
    page = text_of(admin_client, reverse("admin:index"))
    assert "Mail is draining: what is claimed goes out, no more is taken since" in page
    assert "Resume Mail leaves again" in page and "Stops within seconds" not in page
    assert "Complaints of the last 7 days: 0 of 0 mails (0.00 %). Above 0.1 % mail waits for your yes." in page


def test_the_dashboard_sends_a_test_mail(admin_client: Client, smtp_server: Server) -> None:
    page = admin_client.post("/admin/mail/test/", {"address": "me@example.org"}, follow=True).content.decode()
    assert "The mail server accepted a mail to me@example.org" in page
    assert len(smtp_server.to("me@example.org")) == 1
    for address, says in (("nobody", "nobody is not an e-mail address."), ("", "is not an e-mail address.")):
        assert says in admin_client.post("/admin/mail/test/", {"address": address}, follow=True).content.decode()
    assert len(smtp_server.accepted) == 1


def test_the_dashboard_plots_the_mails_of_two_weeks(admin_client: Client) -> None:
    today = MORNING.date()
    for back, sent in ((0, 30), (1, 120), (13, 60), (14, 999)):
        MailDay.objects.create(day=today - dt.timedelta(days=back), sent=sent)
    with time_machine.travel(MORNING, tick=False):
        admin_client.force_login(_staff(admin_client))
        page = BeautifulSoup(admin_client.get(reverse("admin:index")).content, "lxml")
    bars = [bar["height"] for bar in page.select("figure svg g rect:last-child")]
    assert bars == ["50", *["0"] * 11, "100", "25"]
    said = page.select_one("figure svg")
    assert said is not None
    assert "15 Mar 120, 16 Mar 30" in str(said["aria-label"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": ""}, "read from files"),
        ({"is_enabled": False}, "switched off"),
        ({"error_count": 1}, "failed 1 time in a row"),
        ({"error_count": 10}, "paused after 10 failures"),
        ({}, "not read yet"),
        ({"last_success_at": MORNING}, "well"),
    ],
)
def test_the_list_of_sources_says_how_each_is_doing(admin_client: Client, values: dict[str, object], said: str) -> None:
    ingest.huggingface()
    Source.objects.update(**values)
    page = BeautifulSoup(admin_client.get(reverse("admin:digest_source_changelist")).content, "lxml")
    assert said in " ".join(page.select_one("#result_list tbody").get_text(" ").split())


def _staff(client: Client) -> object:
    from django.contrib.auth.models import User

    return User.objects.get(is_superuser=True)


def test_an_address_is_suppressed_by_typing_it_and_kept_as_a_hash(admin_client: Client, alice: Subscriber) -> None:
    address = reverse("admin:subscriptions_suppression_add")
    admin_client.post(address, {"address": "Alice@example.org"})
    row = Suppression.objects.get()
    assert row.reason == Suppression.Reason.BY_HAND
    assert "alice" not in row.address_hash
    assert b"suppressed already" in admin_client.post(address, {"address": "alice@example.org"}).content
    assert Suppression.objects.count() == 1


def reader_page(reader: Subscriber) -> str:
    return reverse("admin:subscriptions_subscriber_change", args=[reader.pk])


def values_of_reader(**changed: object) -> dict[str, object]:
    """What the form of a reader's page posts."""
    return {
        "status": "active", "frequency": "daily", "weekday": 0, "hour": 21, "time_zone": "UTC", "max_papers": 10,
        "trending_share": 0, "token_version": 1, "language": "en", "notice": "",
        "paused_until_0": "", "paused_until_1": "",
        "interest_lines-TOTAL_FORMS": 0, "interest_lines-INITIAL_FORMS": 0,
        "consents-TOTAL_FORMS": 0, "consents-INITIAL_FORMS": 0, **changed,
    }  # fmt: skip


def text_of(client: Client, address: str) -> str:
    return " ".join(BeautifulSoup(client.get(address).content, "lxml").get_text(" ").split())


def test_changing_a_readers_hour_moves_the_next_mail(admin_client: Client, alice: Subscriber) -> None:
    with time_machine.travel(MORNING, tick=False):
        admin_client.force_login(_staff(admin_client))
        assert admin_client.post(reader_page(alice), values_of_reader()).status_code == 302
    alice.refresh_from_db()
    assert alice.next_digest_at == MORNING.replace(hour=21)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("time_zone", "Europe/Berlinn", "“Europe/Berlinn” is not a time zone such as Europe/Berlin, or UTC."),
        ("hour", 24, "less than or equal to 23"),
        ("max_papers", 0, "greater than or equal to 1"),
        ("max_papers", 101, "less than or equal to 100"),
        ("trending_share", 101, "less than or equal to 100"),
        ("weekday", 7, "not one of the available choices"),
        ("frequency", "hourly", "not one of the available choices"),
        ("language", "tlh", "not one of the available choices"),
    ],
)
def test_a_mistyped_setting_is_refused_with_a_reason(
    admin_client: Client, alice: Subscriber, field: str, value: object, said: str
) -> None:
    page = admin_client.post(reader_page(alice), values_of_reader(**{field: value}))
    assert page.status_code == 200
    assert said in BeautifulSoup(page.content, "lxml").get_text(" ")
    before = getattr(alice, field)
    alice.refresh_from_db()
    assert getattr(alice, field) == before


def test_staff_can_ask_for_mail_about_nothing_on_a_readers_behalf(admin_client: Client, alice: Subscriber) -> None:
    assert admin_client.post(reader_page(alice), values_of_reader() | {"empty_mail": "on"}).status_code == 302
    alice.refresh_from_db()
    assert alice.empty_mail is True


def test_a_readers_page_says_what_became_of_the_mails(
    admin_client: Client, alice: Subscriber, papers: list[Paper], smtp_server: Server
) -> None:
    smtp_server.refuse["alice@example.org"] = "550 5.7.1 Not wanted here"
    select_due(MORNING)
    delivery.deliver_all(MORNING)
    assert "16 March 2026 failed: 550 5.7.1 Not wanted here" in text_of(admin_client, reader_page(alice))
    nina = make_reader("nina@example.org", "entomology")
    assert "None yet." in text_of(admin_client, reader_page(nina))
    select_due(MORNING)
    assert "16 March 2026 nothing matched, no mail" in text_of(admin_client, reader_page(nina))


def test_a_readers_page_says_what_is_counted_against_the_mailbox(admin_client: Client, alice: Subscriber) -> None:
    assert "No refusal is counted." in text_of(admin_client, reader_page(alice))
    bounces.count(alice, 1, MORNING)
    assert "Last refused on 16 March 2026." in text_of(admin_client, reader_page(alice))
    bounces.give_up(alice, MORNING)
    said = text_of(admin_client, reader_page(alice))
    assert "Suppressed on 16 March 2026: the mailbox is dead, or has refused too often." in said
    assert "signing up and confirming anew lift that" in said
    bounces.complained(alice, MORNING)
    said = text_of(admin_client, reader_page(alice))
    assert "the reader called a mail spam" in said and "do not lift that" in said


def test_a_suppressed_reader_is_made_active_only_after_the_suppression_is_lifted(
    admin_client: Client, alice: Subscriber
) -> None:
    bounces.count(alice, 4, MORNING)
    bounces.give_up(alice, MORNING)
    assert "how to lift that first" in admin_client.post(reader_page(alice), values_of_reader()).content.decode()
    alice.refresh_from_db()
    assert alice.status == Subscriber.Status.BOUNCED
    page = BeautifulSoup(admin_client.get(reader_page(alice)).content, "lxml")
    link = page.find("a", string="the suppression")
    assert link is not None
    admin_client.post(str(link["href"]).replace("/change/", "/delete/"), {"post": "yes"})
    assert not Suppression.objects.exists()
    assert admin_client.post(reader_page(alice), values_of_reader()).status_code == 302
    alice.refresh_from_db()
    assert (alice.status, alice.bounce_score, alice.bounced_at) == (Subscriber.Status.ACTIVE, 0, None)
    assert alice.next_digest_at is not None


def test_a_suppression_is_found_by_its_address(admin_client: Client, alice: Subscriber) -> None:
    for address in ("Alice@example.org", "zoe@example.org"):
        Suppression.objects.add_address(address, Suppression.Reason.BY_HAND, MORNING)
    found = admin_client.get(reverse("admin:subscriptions_suppression_changelist"), {"q": "alice@Example.org "})
    assert [row.address_hash for row in found.context["cl"].result_list] == [Suppression.hash_of("alice@example.org")]


@pytest.mark.parametrize("by", ["page", "list"])
def test_deleting_a_reader_forgets_them_whole(admin_client: Client, alice: Subscriber, by: str) -> None:
    make_reader("bob@example.org", "diffusion")
    if by == "page":
        admin_client.post(reverse("admin:subscriptions_subscriber_delete", args=[alice.pk]), {"post": "yes"})
    else:
        values = {"action": "delete_selected", "_selected_action": alice.pk, "post": "yes"}
        admin_client.post(reverse("admin:subscriptions_subscriber_changelist"), values)
    assert list(Subscriber.objects.values_list("email", flat=True)) == ["bob@example.org"]
    assert list(Interest.objects.values_list("text", flat=True)) == ["diffusion"]
    assert not LogEntry.objects.filter(object_repr__contains="alice").exists()


def test_the_proof_of_consent_cannot_be_deleted(admin_client: Client, bob: Subscriber) -> None:
    Consent.objects.create(subscriber=bob, kind=Consent.Kind.REQUESTED, at=MORNING, page="/")
    page = BeautifulSoup(admin_client.get(reader_page(bob)).content, "lxml")
    assert page.find("input", {"name": "interest_lines-0-DELETE"})
    assert not page.find("input", {"name": "consents-0-DELETE"})
