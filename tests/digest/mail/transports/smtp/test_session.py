"""Letters over one connection, to a server that does not always do what it should."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.mail.messages import Answer, Letter
from digest.mail.transports.smtp import AT_SENDER, Patience, Session, connect
from digest.mail.transports.smtp.dialogue import Dialogue
from digest.mail.transports.smtp.envelope import Offers
from digest.mail.transports.smtp.wire import Wire
from tests.scripted import OFFERS, Server, Twist
from tests.smtp import Server as Catcher

PLAIN = tuple(offer for offer in OFFERS if offer not in ("PIPELINING", "SIZE 10000000"))
QUICK = Patience(command=0.5, block=0.5, final=0.5)


def letter(key: int, body: bytes = b"Hello.\r\n", recipient: str = "") -> Letter:
    data = b"From: papers@example.org\r\nSubject: %d\r\n\r\n" % key + body
    return Letter(key, "papers@example.org", recipient or f"reader{key}@example.org", data)


LETTERS = [letter(key) for key in range(4)]


def patience_with(server: Server) -> Patience:
    """A busy machine is no server that hangs."""
    return QUICK if any(twist.then == "hang" for twist in server.script.values()) else Patience(20, 20, 20)


def opened(server: Server) -> Session:
    return Session(server.connect(), patience_with(server))


def send(server: Server, letters: list[Letter] | None = None, patience: Patience | None = None) -> dict[int, Answer]:
    """By key; every letter exactly once."""
    letters = LETTERS if letters is None else letters
    with Session(server.connect(), patience or patience_with(server)) as session:
        answers = list(session.send(letters))
    assert sorted(answer.key for answer in answers) == sorted(one.key for one in letters)
    return {answer.key: answer for answer in answers}


def codes(answers: dict[int, Answer]) -> list[int | str]:
    return ["?" if answer.in_doubt else answer.code for _, answer in sorted(answers.items())]


@pytest.mark.parametrize("offers", [OFFERS, PLAIN, ()], ids=["pipelining", "plain", "nothing offered"])
def test_every_letter_arrives_as_it_was(offers: tuple[str, ...]) -> None:
    letters = [letter(1, b"a\r\n"), letter(2, b".\r\n..\r\nline\r\n.end\r\n"), letter(3, b"x" * 300_000 + b"\r\n")]
    with Server(offers=offers) as server:
        answers = send(server, letters)
    assert codes(answers) == [250, 250, 250]
    assert answers[1].text == "2.0.0 Ok: queued"
    assert server.contents == [one.data for one in letters]
    assert server.lines[-1].upper() == b"QUIT\r\n"


def test_a_letter_that_begins_with_a_dot_or_lacks_its_last_line_end_arrives() -> None:
    with Server() as server:
        send(server, [Letter(1, "a@b.test", "c@d.test", b".a: b\r\nSubject: 1\r\n\r\nno end")])
    assert server.contents == [b".a: b\r\nSubject: 1\r\n\r\nno end\r\n"]


def test_a_bare_line_feed_and_a_dot_cannot_end_a_letter_early() -> None:
    """Servers that end a mail there would take the rest for commands (SMTP smuggling)."""
    with Server() as server:
        send(server, [letter(1, b"a\n.\r\nMAIL FROM:<evil@example.org>\r\n")])
    assert len(server.contents) == 1
    assert not any(b"evil" in line for line in server.lines)


def test_the_next_envelope_leaves_in_one_write_with_the_letter_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = Wire._write

    def watched(wire: Wire) -> None:
        written.append(bytes(wire._writing[wire._written :]))
        real(wire)

    monkeypatch.setattr(Wire, "_write", watched)
    with Server() as server:
        send(server)
    assert len(written) == len(LETTERS) + 1
    assert written[0].startswith(b"MAIL") and written[0].endswith(b"DATA\r\n")
    assert written[1].startswith(LETTERS[0].data + b".\r\nMAIL FROM:<papers@example.org> SIZE=")
    assert written[1].endswith(b"RCPT TO:<reader1@example.org>\r\nDATA\r\n")
    assert written[-1] == LETTERS[-1].data + b".\r\n"


def test_no_content_leaves_before_its_354_was_seen() -> None:
    with Server({("DATA", 1): Twist(then="hang")}) as server:
        answers = send(server)
    assert codes(answers) == [250, 0, 0, 0]
    assert server.contents == [LETTERS[0].data]


def test_nothing_is_pipelined_that_was_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bytes] = []
    real = Wire._write
    monkeypatch.setattr(Wire, "_write", lambda wire: (said.append(bytes(wire._writing)), real(wire))[1])
    with Server(offers=PLAIN) as server:
        send(server, LETTERS[:1])
    assert [line[:4] for line in said] == [b"MAIL", b"RCPT", b"DATA", b"From"]


@pytest.mark.parametrize("offers", [OFFERS, PLAIN], ids=["pipelining", "plain"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("answer", [b"450 4.2.1 Later\r\n", b"550-5.1.1 No such\r\n550 5.1.1 user\r\n"])
def test_one_refused_letter_holds_up_no_other(stage: str, answer: bytes, offers: tuple[str, ...]) -> None:
    with Server({(stage, 1): Twist(answer)}, offers) as server:
        answers = send(server)
    assert codes(answers) == [250, int(answer[:3]), 250, 250]
    assert server.promised == [0, 2, 3]
    wanted = "4.2.1 Later" if answer.startswith(b"4") else "5.1.1 No such 5.1.1 user"
    assert answers[1].text == (f"{wanted} {AT_SENDER}" if stage == "MAIL" else wanted)


def test_all_refused_one_after_the_other() -> None:
    with Server({("RCPT", number): Twist(b"550 no\r\n") for number in range(4)}) as server:
        assert codes(send(server)) == [550] * 4


def test_a_server_that_allows_data_for_a_refused_recipient_gets_an_empty_mail() -> None:
    """RFC 2920 3.1: the client sends a dot alone."""
    dialogue = Dialogue(Offers(pipelining=True))
    dialogue.begin(iter(LETTERS[:2]))
    dialogue.say()
    dialogue.receive(b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n")
    assert dialogue.say().startswith(b".\r\nMAIL FROM:")
    dialogue.receive(b"554 5.5.1 no recipients\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert dialogue.say() == LETTERS[1].data + b".\r\n"
    assert [answer.code for answer in dialogue.answers] == [550]


@pytest.mark.parametrize("offers", [OFFERS, PLAIN], ids=["pipelining", "plain"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
def test_421_is_the_answer_of_the_letter_it_was_said_to_and_the_rest_is_untouched(
    stage: str, offers: tuple[str, ...]
) -> None:
    with Server({(stage, 1): Twist(b"421 4.3.2 Shutting down\r\n", "close")}, offers) as server:
        answers = send(server)
    assert codes(answers) == [250, 421, 0, 0]
    assert server.promised == [0]
    assert "Shutting down" in answers[1].text and "Shutting down" in answers[3].text


def test_421_right_after_ehlo_is_not_lost_in_smtplibs_buffer() -> None:
    with Server(after_ehlo=b"421 4.7.0 Too many connections\r\n") as server:
        answers = send(server)
    assert codes(answers) == [0, 0, 0, 0]
    assert "Too many connections" in answers[0].text


@pytest.mark.parametrize("then", ["close", "hang"])
@pytest.mark.parametrize(
    ("stage", "expected"),
    [("MAIL", [250, 0, 0, 0]), ("RCPT", [250, 0, 0, 0]), ("DATA", [250, 0, 0, 0]), ("DOT", [250, "?", 0, 0])],
)
def test_only_what_left_whole_is_in_doubt(stage: str, expected: list[object], then: str) -> None:
    with Server({(stage, 1): Twist(b"", then)}) as server:
        answers = send(server)
    assert codes(answers) == expected
    assert answers[1].text and answers[3].text


def test_a_server_that_hangs_up_amid_a_long_letter_has_not_taken_it() -> None:
    letters = [letter(1, b"x" * 998 + b"\r\n" + b"y" * 20_000_000 + b"\r\n"), letter(2)]
    with Server({("READ", 0): Twist(then="close")}, receive_buffer=4096, offers=("PIPELINING",)) as server:
        assert codes(send(server, letters)) == [0, 0]


def test_a_server_that_stops_reading_amid_a_long_letter_has_not_taken_it() -> None:
    letters = [letter(1, b"x" * 998 + b"\r\n" + b"y" * 20_000_000 + b"\r\n"), letter(2)]
    with Server({("READ", 0): Twist(then="hang")}, receive_buffer=4096, offers=("PIPELINING",)) as server:
        answers = send(server, letters)
    assert codes(answers) == [0, 0]
    assert answers[1].text == "the server did not answer in time"


def test_what_a_server_says_before_it_hangs_up_amid_a_letter_is_its_answer() -> None:
    letters = [letter(1, b"y" * 20_000_000 + b"\r\n"), letter(2)]
    script = {("READ", 0): Twist(b"552 5.3.4 Too big\r\n", "hang")}
    with Server(script, receive_buffer=4096, offers=("PIPELINING",)) as server:
        assert codes(send(server, letters)) == [552, 0]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"25",  # half a reply, then the end
        b"250",
        b"250-one\r\n",
        b"250-one\r\n251 two\r\n",  # two codes
        b"hello\r\n",
        b"199 x\r\n",
        b"600 x\r\n",
        b"2500 x\r\n",
        b"\xff\xfe\r\n",
        b"\r\n",
        b"354 more\r\n",  # nothing more is due
        b"250-x\r\n" * 1000,
        b"250 " + b"x" * 5000,
    ],
)
def test_an_answer_that_is_none_leaves_the_letter_in_doubt(nonsense: bytes) -> None:
    with Server({("DOT", 1): Twist(nonsense, "close")}) as server:
        answers = send(server)
    assert codes(answers) == [250, "?", 0, 0]


@pytest.mark.parametrize("nonsense", [b"25", b"hello\r\n", b"250-x\r\n" * 1000])
def test_an_answer_that_is_none_before_the_content_leaves_no_doubt(nonsense: bytes) -> None:
    with Server({("DATA", 1): Twist(nonsense, "close")}) as server:
        answers = send(server)
    assert codes(answers) == [250, 0, 0, 0]
    assert server.promised == [0]


def test_an_answer_out_of_step_makes_the_one_before_it_doubtful_for_it_may_have_answered_something_else() -> None:
    with Server({("DOT", 1): Twist()}) as server:  # nothing; what comes next is the answer to MAIL FROM
        assert codes(send(server)) == [250, "?", 0, 0]
    with Server({("DATA", 1): Twist(b"250 ok\r\n")}) as server:
        assert codes(send(server)) == ["?", 0, 0, 0]


def test_a_recipient_taken_without_a_sender_is_out_of_step() -> None:
    """A refusal was one too many: what it refused, nobody knows."""
    dialogue = Dialogue(Offers(pipelining=True))
    dialogue.begin(iter(LETTERS[:2]))
    dialogue.say()
    dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    dialogue.left = len(dialogue.say())
    dialogue.receive(b"250 ok\r\n550 one too many\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert [(answer.key, answer.code, answer.in_doubt) for answer in dialogue.answers] == [(0, 0, True)]
    assert dialogue.untouched == [LETTERS[1]]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
def test_more_answers_than_were_asked_for_end_the_session_and_make_no_mail_taken(stage: str) -> None:
    usual = {"MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n", "DOT": b"250 ok\r\n"}[stage]
    with Server({(stage, 1): Twist(usual + b"250 extra\r\n")}) as server:
        answers = send(server)
    for key, answer in answers.items():
        assert not answer.is_taken or key in server.promised
        assert answer.is_taken or answer.in_doubt or key not in server.promised + server.swallowed
    assert codes(answers)[2:] == [0, 0]


def test_an_endless_reply_comes_to_an_end() -> None:
    with Server({("DOT", 0): Twist(b"250-and\r\n" * 2_000_000, "hang")}) as server:
        assert codes(send(server)) == ["?", 0, 0, 0]


def test_a_reply_that_comes_byte_by_byte_is_read() -> None:
    dialogue = Dialogue(Offers(pipelining=True))
    dialogue.begin(iter(LETTERS[:1]))
    dialogue.say()
    for byte in b"250 ok\r\n250 ok\r\n354 go\r\n":
        dialogue.receive(bytes([byte]))
    dialogue.left = len(dialogue.say())
    for byte in b"250-2.0.0 first\r\n250 2.0.0 second\r\n":
        dialogue.receive(bytes([byte]))
    assert list(dialogue.answers) == [Answer(0, 250, "2.0.0 first 2.0.0 second")]


# --- what is never sent
def test_a_letter_larger_than_the_server_takes_is_refused_here() -> None:
    with Server(offers=("PIPELINING", "SIZE 1000")) as server:
        answers = send(server, [letter(1), letter(2, b"x" * 2000 + b"\r\n"), letter(3)])
    assert codes(answers) == [250, 552, 250]
    assert "the server takes 1000" in answers[2].text


@pytest.mark.parametrize(("offers", "code"), [(OFFERS, 553), ((*OFFERS, "SMTPUTF8"), 250)])
def test_an_address_beyond_ascii_needs_smtputf8(offers: tuple[str, ...], code: int) -> None:
    with Server(offers=offers) as server:
        answers = send(server, [letter(1, recipient="jörg@example.org"), letter(2)])
    assert codes(answers) == [code, 250]
    assert any(b" SMTPUTF8\r\n" in line for line in server.lines) == (code == 250)


@pytest.mark.parametrize(("offers", "code"), [(("PIPELINING",), 554), (("PIPELINING", "8BITMIME"), 250)])
def test_bytes_beyond_ascii_need_8bitmime(offers: tuple[str, ...], code: int) -> None:
    with Server(offers=offers) as server:
        assert codes(send(server, [letter(1, "Grüße\r\n".encode()), letter(2)])) == [code, 250]
    assert any(b" BODY=8BITMIME\r\n" in line for line in server.lines) == (code == 250)


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nRCPT TO:<c@d>", "a@b> SIZE=0", "a b@c", "", "nobody", "a@", "\ud800@c", "a\0@b", "x" * 300 + "@b", "@b"],
)
def test_an_address_that_would_break_the_command_is_refused_here(address: str) -> None:
    with Server() as server:
        answers = send(server, [Letter(1, "a@b.test", address, LETTERS[0].data), letter(2)])
    assert codes(answers) == [553, 250]


# --- the session as a thing
def test_nothing_to_send_says_nothing() -> None:
    with Server() as server:
        assert send(server, []) == {}
    assert not any(line.startswith(b"MAIL") for line in server.lines)


def test_a_session_sends_again_and_again() -> None:
    with (
        Server({("RCPT", 1): Twist(b"550 no\r\n")}) as server,
        opened(server) as session,
    ):
        found = [answer.code for one in LETTERS for answer in session.send([one])]
        assert found == [250, 550, 250, 250]
        assert session.is_open
    assert server.connections == 1


def test_after_the_end_every_letter_is_answered_without_a_try() -> None:
    with (
        Server({("DOT", 0): Twist(then="close")}) as server,
        opened(server) as session,
    ):
        assert [answer.in_doubt for answer in session.send(LETTERS)] == [True, False, False, False]
        assert not session.is_open
        assert [(answer.code, answer.in_doubt) for answer in session.send(LETTERS)] == [(0, False)] * 4


def test_whoever_stops_listening_leaves_nothing_half_sent() -> None:
    with Server() as server:
        session = opened(server)
        for answer in session.send(LETTERS):
            assert answer.key == 0
            break
        del answer
        session.close()
        assert not session.is_open
    assert server.promised == [0]


def test_letters_are_taken_one_ahead_of_what_is_on_its_way() -> None:
    given_out: list[int] = []

    def letters() -> Iterator[Letter]:
        for one in LETTERS:
            given_out.append(one.key)
            yield one

    with Server() as server, opened(server) as session:
        answers = session.send(letters())
        assert next(answers).key == 0
        assert given_out == [0, 1]
        assert server.promised == [0]
        answers.close()


def test_a_connection_that_is_not_open_is_refused() -> None:
    with Server() as server:
        connection = server.connect()
        connection.close()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            Session(connection)


# --- TLS
@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def encrypted(server: Server, authority: trustme.CA) -> smtplib.SMTP:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    connection = smtplib.SMTP("localhost", server.port, "client.test", timeout=10)
    connection.starttls(context=context)
    return connection


def test_letters_go_over_the_tls_that_smtplib_made(authority: trustme.CA, tls_server: ssl.SSLContext) -> None:
    letters = [letter(1), letter(2, b"z" * 3_000_000 + b"\r\n"), letter(3)]
    with (
        Server(tls=tls_server, offers=(*OFFERS, "STARTTLS")) as server,
        Session(encrypted(server, authority), Patience()) as session,
    ):
        assert [answer.code for answer in session.send(letters)] == [250, 250, 250]
    assert server.contents == [one.data for one in letters]


@pytest.mark.parametrize(("stage", "expected"), [("DATA", [False] * 4), ("DOT", [False, True, False, False])])
def test_doubt_over_tls_is_as_without(
    authority: trustme.CA, tls_server: ssl.SSLContext, stage: str, expected: list[bool]
) -> None:
    script = {(stage, 1): Twist(then="close")}
    with (
        Server(script, tls=tls_server, offers=(*OFFERS, "STARTTLS")) as server,
        Session(encrypted(server, authority), patience_with(server)) as session,
    ):
        assert [answer.in_doubt for answer in session.send(LETTERS)] == expected


# --- any script
TWISTS = st.one_of(
    st.builds(
        Twist,
        st.sampled_from(
            [
                b"", b"2", b"25", b"250 ok\r\n", b"250-a\r\n250 b\r\n", b"250-a\r\n", b"354 go\r\n", b"421 bye\r\n",
                b"450 4.2.1 later\r\n", b"550 5.1.1 no\r\n", b"550-5.1.1 no\r\n550 5.1.1 never\r\n", b"250 a\nx",
                b"rot\r\n",
                b"221 bye\r\n", b"100 x\r\n", b"250 ok\r\n550 no\r\n", b"554 no\r\n354 go\r\n", b"250 ok\n",
            ]
        ),
        st.sampled_from(["", "close"]),
    ),
    st.just(Twist(b"", "hang")),
)  # fmt: skip
PLACES = st.tuples(st.sampled_from(["MAIL", "RCPT", "DATA", "READ", "DOT", "RSET"]), st.integers(0, 5))


@settings(max_examples=150, deadline=None)
@given(script=st.dictionaries(PLACES, TWISTS, max_size=4), offers=st.sampled_from([OFFERS, PLAIN]))
def test_whatever_the_server_does_each_letter_has_one_true_answer(
    script: dict[tuple[str, int], Twist], offers: tuple[str, ...]
) -> None:
    letters = [letter(key) for key in range(5)]
    with Server(script, offers) as server:
        answers = send(server, letters, Patience(0.15, 0.15, 0.15))
    if is_beyond_telling(script):
        return
    for key, answer in answers.items():
        if answer.is_taken:
            assert key in server.promised
        elif not answer.in_doubt:
            assert key not in server.promised + server.swallowed
            assert answer.code == 0 or answer.code >= 400


def is_beyond_telling(script: dict[tuple[str, int], Twist]) -> bool:
    """Replies too many or too few put those after them out of place, which is found out by the next one; unless more
    goes wrong at the same time, or a 2xx comes before the mail it seems to answer.
    """
    shifts = [
        place
        for place, twist in script.items()
        if place[0] == "READ" or (twist.then != "hang" and twist.answer.count(b"\n") != 1 and b"-" not in twist.answer)
    ]
    return bool(shifts) and (len(script) > 1 or shifts[0][0] == "READ")


def test_our_own_mail_catcher_takes_what_we_send(smtp_server: Catcher) -> None:
    """It offers no PIPELINING."""
    with Session(connect()) as session:
        answers = list(session.send([letter(1, b".dots\r\n"), letter(2), letter(3)]))
    assert [answer.code for answer in answers] == [250] * 3
    first, *_, last = smtp_server.accepted
    assert first.original_content == letter(1, b".dots\r\n").data
    assert last.rcpt_tos == ["reader3@example.org"]
