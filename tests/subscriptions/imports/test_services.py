"""Subscribers as other services and spreadsheets export them: what is read, and who is suppressed."""

from __future__ import annotations

import codecs
import time
from pathlib import Path

import pytest

from subscriptions.imports.sheet import Options, Row, read

TOPICS = Options(interests="diffusion")

MAILCHIMP = (
    '"Email Address","First Name","Last Name",Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,TIMEZONE,CC,LEID,'
    "EUID,NOTES,TAGS"
)
SERVICES = {
    "Mailchimp": (
        f'{MAILCHIMP}\nada@example.org,Ada,Byron,"1 Kettle Way, Pott",2,2024-01-01 10:00:00,,2024-01-02 11:00:00,'
        'Europe/berlin,DE,1,a1,,"""vip"",""iron"""\n',
        {"ada@example.org": ("", "diffusion", "Europe/Berlin", "2024-01-02 11:00:00")},
    ),
    "Mailchimp, unsubscribed": (
        f"{MAILCHIMP},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON\n"
        "bob@example.org,Bob,,,2,2024-01-01 10:00:00,,,,,2,b2,,,2024-05-01 09:00:00,Pots,1,NORMAL\n"
        "cy@example.org,Cy,,,2,2024-01-01 10:00:00,,,,,3,c3,,,2024-05-01 09:00:00,Pots,1,SPAM_COMPLAINT\n",
        {"bob@example.org": ("unsubscribed", "", "UTC", ""), "cy@example.org": ("complained", "", "UTC", "")},
    ),
    "Mailchimp, cleaned": (
        f"{MAILCHIMP},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID\n"
        "di@example.org,Di,,,2,2024-01-01 10:00:00,,,,,4,d4,,,2024-05-01 09:00:00,Pots,1\n",
        {"di@example.org": ("bounced", "", "UTC", "")},
    ),
    "listmonk": (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '0-1,ada@example.org,Ada,"{""interests"": [""diffusion"", ""agents""], ""hour"": 7, ""city"": ""Pott""}",'
        "enabled,2024-01-01T10:00:00Z,2024-01-01T10:00:00Z\n"
        "0-2,bob@example.org,Bob,{},disabled,2024-01-01,2024-01-01\n"
        "0-3,cy@example.org,Cy,{},blocklisted,2024-01-01,2024-01-01\n",
        {
            "ada@example.org": ("active", "diffusion\nagents", "UTC", "2024-01-01T10:00:00Z"),
            "bob@example.org": ("unsubscribed", "", "UTC", ""),
            "cy@example.org": ("unsubscribed", "", "UTC", ""),
        },
    ),
    "Keila": (
        "Email,First name,Last name,Data,Status,External ID\n"
        'ada@example.org,Ada,Byron,"{""topics"": ""iron; cookery"", ""email"": ""x@example.org""}",active,\n'
        "bob@example.org,,,,unsubscribed,\ncy@example.org,,,,unreachable,7\n",
        {
            "ada@example.org": ("active", "iron\ncookery", "UTC", ""),
            "bob@example.org": ("unsubscribed", "", "UTC", ""),
            "cy@example.org": ("bounced", "", "UTC", ""),
        },
    ),
    "Substack": (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "ada@example.org,false,,other,false,2024-01-01T00:00:00.000Z,\n"
        "bob@example.org,true,2027-01-01T00:00:00.000Z,yearly,true,2024-01-01T00:00:00.000Z,\n",
        {
            "ada@example.org": ("", "diffusion", "UTC", "2024-01-01T00:00:00.000Z"),
            "bob@example.org": ("unsubscribed", "", "UTC", ""),
        },
    ),
    "Buttondown": (
        "id,email,notes,metadata,tags,referrer_url,secondary_id,type,creation_date,unsubscription_date\n"
        '1,ada@example.org,,"{""time_zone"": ""asia/kolkata""}",vip,,1,premium,2024-01-01,\n'
        "2,bob@example.org,,{},,,2,unactivated,2024-01-01,\n"
        "3,cy@example.org,,{},,,3,undeliverable,2024-01-01,\n"
        "4,di@example.org,,{},,,4,removed,2024-01-01,\n"
        "5,ed@example.org,,{},,,5,complained,2024-01-01,\n"
        "6,flo@example.org,,{},,,6,paused,2024-01-01,2024-03-01\n",
        {
            "ada@example.org": ("active", "diffusion", "Asia/Kolkata", "2024-01-01"),
            "bob@example.org": ("pending", "diffusion", "UTC", "2024-01-01"),
            "cy@example.org": ("bounced", "", "UTC", ""),
            "di@example.org": ("unsubscribed", "", "UTC", ""),
            "ed@example.org": ("complained", "", "UTC", ""),
            "flo@example.org": ("unsubscribed", "", "UTC", ""),
        },
    ),
    "Ghost": (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
        "1,ada@example.org,Ada,,true,false,,2024-01-01T09:30:00.000Z,,,\n"
        "2,bob@example.org,Bob,,false,false,,2024-01-01T09:30:00.000Z,,,\n"
        "3,cy@example.org,Cy,,true,false,,2024-01-01T09:30:00.000Z,2025-01-01T09:30:00.000Z,,\n",
        {
            "ada@example.org": ("", "diffusion", "UTC", "2024-01-01T09:30:00.000Z"),
            "bob@example.org": ("unsubscribed", "", "UTC", ""),
            "cy@example.org": ("unsubscribed", "", "UTC", ""),
        },
    ),
}


def facts(row: Row) -> tuple[str, str, str, str]:
    return row.status, row.interests, row.settings.time_zone, row.since


@pytest.mark.parametrize("name", SERVICES)
def test_an_export_of_each_service_is_recognised_and_read(name: str) -> None:
    content, expected = SERVICES[name]
    sheet = read(content.encode(), TOPICS)
    assert (sheet.service, sheet.faults) == (name.partition(",")[0], [])
    assert {row.address: facts(row) for row in sheet.rows.values()} == expected


def test_interests_may_stand_in_another_column() -> None:
    sheet = read(SERVICES["Mailchimp"][0].replace('"""vip"",""iron"""', "pots; iron").encode(), Options("", "tags"))
    assert [row.interests for row in sheet.rows.values()] == ["pots\niron"]
    wrong = read(SERVICES["Ghost"][0].encode(), Options("", "Topics")).faults
    assert "there is no column “Topics” to take interests from. There are “id”, “email”, “name”" in str(wrong[0])


def test_a_file_without_interests_is_refused_once_and_says_what_to_do() -> None:
    sheet = read(SERVICES["Substack"][0].encode())
    assert sheet.broken
    assert [str(fault) for fault in sheet.faults] == [
        "Line 1: the column interests is missing. Add it, name the column that holds them (--interests-from), or say "
        "what everybody gets (--interests “topic; another topic”)."
    ]


def test_those_who_left_need_no_interests() -> None:
    assert read(SERVICES["Mailchimp, cleaned"][0].encode()).faults == []


def test_what_a_service_says_that_is_unknown_here_is_left_out_and_a_spreadsheets_is_a_fault() -> None:
    content = SERVICES["Mailchimp"][0].replace("Europe/berlin", "Atlantis")
    assert [row.settings.time_zone for row in read(content.encode(), TOPICS).rows.values()] == ["UTC"]
    assert read(b"email,interests,timezone\na@example.org,x,Atlantis").fault_count == 1


WAYS = [
    ("hour", "07", 7), ("hour", "8:00", 8), ("hour", "08:00:00", 8), ("hour", "8.0", 8), ("hour", "8 pm", 20),
    ("hour", "12 am", 0), ("hour", "12:00 PM", 12), ("hour", "8 Uhr", 8), ("hour", "20h", 20), ("hour", "\xa07 ", 7),
    ("time_zone", "europe/berlin", "Europe/Berlin"), ("time_zone", "America/New York", "America/New_York"),
    ("time_zone", "US/Pacific", "US/Pacific"), ("time_zone", "utc", "UTC"), ("time_zone", "CET", "CET"),
    ("weekday", "Friday", 4), ("weekday", "fri", 4), ("weekday", "Freitag", 4), ("weekday", "Mo", 0),
    ("weekday", "3", 3), ("frequency", "Weekly", "weekly"), ("frequency", "once a week", "weekly"),
    ("frequency", "every day", "daily"), ("language", "de-AT", "de"), ("language", "Deutsch", "de"),
    ("language", "EN_us", "en"), ("empty_mail", "yes", True), ("empty_mail", "FALSE", False),
    ("max_papers", "20.0", 20),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cell", "value"), WAYS)
def test_a_setting_is_read_as_people_write_it(name: str, cell: str, value: object) -> None:
    sheet = read(f"email,interests,{name}\nada@example.org,pots,{cell}\n".encode())
    assert sheet.faults == []
    (row,) = sheet.rows.values()
    assert getattr(row.settings, name) == value


@pytest.mark.parametrize(
    ("name", "cell"),
    [("hour", "25:00"), ("hour", "13 pm"), ("hour", "7:15"), ("weekday", "Someday"), ("language", "fr")],
)
def test_what_is_none_of_these_ways_is_a_fault(name: str, cell: str) -> None:
    assert read(f"email,interests,{name}\nada@example.org,pots,{cell}\n".encode()).fault_count == 1


FILES = [
    *(f"email{sign}interests\nada@example.org{sign}pots" for sign in ",;\t|"),
    *(f"sep={sign}\nemail{sign}interests\nada@example.org{sign}pots\n" for sign in ",;\t|"),
    "email,interests,,\nada@example.org,pots,,\n,,,\n",
    "E-Mail-Adresse;Themen\r\nada@example.org;pots\r\n",
    "E-mail Address,Topics\r\nada@example.org,pots,,,\r\n",
    '"EMAIL","KEYWORDS"\n"Ada Byron <ada@example.org>","pots"\n',
    'email,interests\nmailto:ada@example.org?subject=x,pots\n',
    'email,interests\n"ada@example.org\xa0;",pots\n',
    "email,interests\n\u200bada@example.org\ufeff,pots\n",
    'email,interests\n"""Byron, Ada"" <ada@example.org>",pots\n',
    "first name,email,interests,shoe size\nAda,ada@example.org,pots,38\n",
]  # fmt: skip


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_shape_of_a_file_is_read(content: str, encoding: str) -> None:
    marked = content.encode(encoding)
    sheet = read(codecs.BOM_UTF16_BE + marked if encoding == "utf-16-be" else marked)
    assert sheet.faults == []
    assert [(row.address, row.interests) for row in sheet.rows.values()] == [("ada@example.org", "pots")]


def test_an_open_quotation_mark_takes_no_other_row_with_it() -> None:
    sheet = read(b'email,interests\na@example.org,"pots\nb@example.org,pans\n"c@example.org",x\nd@example.org,"y\nz"\n')
    assert [row.address for row in sheet.rows.values()] == ["b@example.org", "c@example.org", "d@example.org"]
    assert [(bad.line, bad.cells[0]) for bad in sheet.rejected] == [(2, "a@example.org")]


def test_columns_that_are_not_used_are_named() -> None:
    sheet = read(b"email,first name,interests,shoe size,problem\na@example.org,Ada,x,38,old\n")
    assert sheet.unused == ("first name", "shoe size")


CASES = {
    "sub-addr.csv": [f"reader{number}@example.org" for number in range(14, 20)],
    "sub-addr2.csv": [
        "reader+tag@example.org", "ada@xn--mnchen-3ya.example", "ADA@example.com", "email of line 5",
        "repeated: 7", "repeated: 4",
    ],
    "sub-big.csv": ["big@example.org", "big30@example.org"],
    "sub-bom.csv": ["reader2@example.org"],
    "sub-case.csv": ["Reader8@example.org"],
    "sub-latin1.csv": ["Line 2: the byte 0xFC is not UTF-8"],
    "sub-listmonk.csv": ["reader6@example.org"],
    "sub-mailchimp.csv": ["reader5@example.org"],
    "sub-ok.csv": ["reader1@example.org"],
    "sub-once.csv": ["once@example.org"],
    "sub-semi.csv": ["reader3@example.org"],
    "sub-sep.csv": ["reader20@example.org"],
    "sub-substack.csv": ["reader7@example.org"],
    "sub-tab.csv": ["reader13@example.org"],
    "sub-trailing.csv": ["reader4@example.org"],
    "sub-twice.csv": ["twice@example.org"],
    "sub-utf16.csv": ["reader1@example.org"],
    "sub-whisk.csv": ["whisk@example.org"],
    "sub-zones.csv": ["reader9@example.org", "reader10@example.org", "reader12@example.org", "time_zone of line 4"],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_case_of_the_world_is_read_rightly(shared_data: Path, name: str) -> None:
    sheet = read((shared_data / "cases" / name).read_bytes(), TOPICS)
    found = [row.address for row in sheet.rows.values()]
    found += [f"{bad.faults[0].column} of line {bad.line}" for bad in sheet.rejected]
    found += [f"repeated: {line}" for line in sorted(sheet.repeats, reverse=True)]
    if sheet.broken:
        found.append(str(sheet.broken).partition(":")[0] + ":" + str(sheet.broken).split(":")[1])
    assert found == CASES[name]


def test_every_case_is_in_the_table(shared_data: Path) -> None:
    assert {path.name for path in (shared_data / "cases").glob("sub-*")} == CASES.keys()


@pytest.mark.parametrize("run", [" ", "/", "<", '"', "(", "\\", "a/ ", "@"])
@pytest.mark.parametrize("column", ["email", "time_zone", "hour", "language", "status", "attributes"])
def test_no_cell_takes_longer_than_in_proportion_to_its_length(run: str, column: str) -> None:
    cell = ("x" + run * 60_000 + ">").replace('"', '""')
    others = "" if column == "email" else ",email"
    started = time.process_time()
    read(f'interests,{column}{others}\npots,"{cell}"{others.replace("email", "a@example.org")}\n'.encode())
    assert time.process_time() - started < 2
