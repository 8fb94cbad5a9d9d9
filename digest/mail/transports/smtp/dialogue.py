"""What is said over one connection, and what the replies mean. Bytes out, bytes in, answers out: knows no socket."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from digest.mail.messages import Answer, Letter
from digest.mail.transports.smtp.envelope import Offers, commands, content, refusal
from digest.mail.transports.smtp.replies import Replies, Reply, ReplyError

CLOSING = 421  # the server closes the connection, whatever was asked (RFC 5321 3.8)
AT_SENDER = "(in answer to MAIL FROM)"  # ends the text of an answer that is about the sender, not the recipient


class Asked(enum.Enum):
    """What a reply is owed for."""

    CONTENT = "the mail"
    NOTHING = "an empty mail"  # DATA was allowed although the recipient was refused: a dot alone (RFC 2920 3.1)
    RSET = "RSET"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"


ENVELOPE = (Asked.MAIL, Asked.RCPT, Asked.DATA)


class Ending(NamedTuple):
    code: int
    text: str


class Dialogue:
    """Whenever nothing `is_owed`, `say` gives the next write; `receive` takes what the server sends, `lose` tells that
    the connection is lost. `left` must be kept at how many bytes of the last write may have left.

    `answers` holds what became of letters, for the caller to take. Once the dialogue `is_over`, `untouched` holds the
    letters that were begun and certainly not taken, and `ending` why; its code is 421 when the server said that to
    one of them, else 0.
    """

    def __init__(self, offers: Offers) -> None:
        self.answers: deque[Answer] = deque()
        self.untouched: list[Letter] = []
        self.ending: Ending | None = None
        self.taken = 0
        self.left = 0
        self.asked: deque[Asked] = deque()
        self._offers = offers
        self._replies = Replies()
        self._letters: Iterator[Letter] = iter(())
        self._unsaid: deque[tuple[Asked, bytes]] = deque()  # commands, in their order
        self._named: Letter | None = None  # its envelope is under way
        self._refusal: Answer | None = None  # of that envelope
        self._refused_at: Asked | None = None
        self._may_send = False  # 354 was seen for it
        self._sent: Letter | None = None  # its content is on its way, or left
        self._dot_at = 0  # where its final dot stands in the last write, counted from 1
        self._held: Answer | None = None  # of a content; given once what was asked with it is answered in step

    @property
    def is_over(self) -> bool:
        return self.ending is not None

    @property
    def is_owed(self) -> bool:
        """The server has not answered all that was asked."""
        return bool(self.asked)

    @property
    def is_idle(self) -> bool:
        """Between letters: a command may be said that is not ours."""
        return not (self.is_over or self.asked or self._unsaid or self._named)

    def begin(self, letters: Iterator[Letter]) -> None:
        """What to send now. One letter more than is on its way is taken from the iterator."""
        self._letters = letters

    def say(self) -> bytes:
        """The next write: the content of the letter that may be sent, and with it the next one's envelope. Empty when
        there is nothing to say. Without PIPELINING one command, or one content, at a time.
        """
        parts: list[bytes] = []
        self.left = 0
        if self._may_send and self._named:
            self._sent, self._named, self._may_send = self._named, None, False
            parts += [content(self._sent), b".\r\n"]
            self._dot_at = len(parts[0]) + 1
            self.asked.append(Asked.CONTENT)
        if self._offers.pipelining or not parts:
            if self._named is None:
                self._name_next()
            while self._unsaid:
                asked, line = self._unsaid.popleft()
                self.asked.append(asked)
                parts.append(line)
                if not self._offers.pipelining:
                    break
        return b"".join(parts)

    def receive(self, data: bytes) -> None:
        """Bytes from the server; none when it closed. The dialogue may be over after it."""
        problem = "" if data else "the server closed the connection"
        try:
            self._replies.feed(data)
        except ReplyError as error:
            problem = f"the server cannot be understood: {error}"
        whole = self._replies.whole
        while whole and self.ending is None:
            self._hear(whole.popleft())
            if not self.asked and self.ending is None:
                self._conclude()
        if not problem and not self.asked and not self._replies.is_empty:
            problem = "the server spoke unasked"
        if problem:
            self.lose(problem)

    def lose(self, reason: str) -> None:
        """Nothing more is said or heard. What may have left whole is in doubt, the rest was not taken."""
        self._end(reason)

    def _name_next(self) -> None:
        """Take the next letter that this server can be given; those it cannot are answered here."""
        for letter in self._letters:
            refused = refusal(letter, self._offers)
            if not refused:
                self._named, self._refused_at = letter, None
                self._unsaid.extend(zip(ENVELOPE, commands(letter, self._offers), strict=True))
                return
            self.answers.append(Answer(letter.key, *refused))

    def _hear(self, reply: Reply) -> None:
        if not self.asked:
            self._end(f"the server spoke unasked: {_words(reply)}", reply.code if reply.code == CLOSING else 0)
            return
        asked, code = self.asked.popleft(), reply.code
        if asked is Asked.CONTENT:
            self._hear_of_content(reply)
        elif self._refused_at is None and (code == 354 if asked is Asked.DATA else 200 <= code < 300):
            self._may_send = asked is Asked.DATA  # all is well
        elif code == CLOSING:
            is_about_it = asked in ENVELOPE and not self._refusal
            self._end(reply.text, CLOSING if is_about_it else 0)
        elif not self._fits(asked, reply):
            self._end(f"the server is out of step: {_words(reply)} in answer to {asked.value}", is_out_of_step=True)
        elif asked in ENVELOPE and reply.is_refusal:
            self._refuse(asked, reply)
        elif asked is Asked.DATA:  # allowed, although the recipient was refused
            self._unsaid.clear()
            self._unsaid.append((Asked.NOTHING, b".\r\n"))

    def _fits(self, asked: Asked, reply: Reply) -> bool:
        """Whether the reply leaves no doubt where we are."""
        if asked in (Asked.RSET, Asked.NOTHING):
            return reply.is_done or (asked is Asked.NOTHING and reply.is_refusal)
        if self._refused_at is Asked.MAIL:
            return reply.is_refusal  # nobody takes a recipient without a sender
        if asked is Asked.DATA:
            return reply.code == 354 or reply.is_refusal
        return reply.is_done or reply.is_refusal

    def _hear_of_content(self, reply: Reply) -> None:
        """The answer that counts. One that came before the final dot had left can be a refusal only."""
        has_left = self.left >= self._dot_at
        if self._sent and (reply.is_refusal or (reply.is_done and has_left)):
            self._held = Answer(self._sent.key, reply.code, reply.text)
            self._sent = None
        if self._sent or not has_left or reply.code == CLOSING:
            self._end(f"the server closed, or is out of step: {_words(reply)} in answer to the mail")

    def _refuse(self, asked: Asked, reply: Reply) -> None:
        """The first refusal is the letter's answer; what is said of the commands after it follows from that."""
        if self._named and not self._refusal:
            text = f"{reply.text} {AT_SENDER}" if asked is Asked.MAIL else reply.text
            self._refusal, self._refused_at = Answer(self._named.key, reply.code, text), asked
        self._unsaid.clear()
        self._unsaid.append((Asked.RSET, b"RSET\r\n"))

    def _conclude(self) -> None:
        """All that was asked is answered, and in step: now the answers are sure."""
        if self._held:
            self.taken += self._held.is_taken
            self.answers.append(self._held)
            self._held = None
        if self._refusal:
            self.answers.append(self._refusal)
            self._refusal = self._named = None

    def _end(self, reason: str, code: int = 0, is_out_of_step: bool = False) -> None:
        """After replies too many or too few, nobody knows which one answered what."""
        if self.ending:
            return
        self.ending = Ending(code, reason)
        self.asked.clear()
        self._unsaid.clear()
        if is_out_of_step:
            if self._held:
                self.answers.append(Answer(self._held.key, 0, reason, in_doubt=True))
            self._held = self._refusal = None
        self._conclude()
        if self._sent and self.left >= self._dot_at:
            self.answers.append(Answer(self._sent.key, 0, reason, in_doubt=True))
        elif self._sent:
            self.untouched.append(self._sent)
        if self._named:
            self.untouched.append(self._named)
        self._sent = self._named = None


def _words(reply: Reply) -> str:
    return f"{reply.code} {reply.text}"[:200]
