"""Values that are told by their form, and numbers and words that only look like them."""

from __future__ import annotations

from base64 import b64encode
from time import process_time

import pytest

from masking.text.found import Found, settled
from masking.text.patterns import POSSIBLE, scan, without_server

BASE64 = b64encode("7|Žofie~~~Quellhaubner\n>>>".encode()).decode()


def found(text: str) -> dict[str, str]:
    return {text[f.start : f.end]: f.entity for f in settled(text, scan(text))}


@pytest.mark.parametrize(
    ("text", "value", "entity"),
    [
        ("write to ann.o'neill+x@mail.example.co.uk.", "ann.o'neill+x@mail.example.co.uk", "email"),
        ("an jürgen@straße.example, bitte", "jürgen@straße.example", "email"),
        ("see https://example.org/~ann?id=1.", "https://example.org/~ann?id=1", "url"),
        ("thanks @ann_lee!", "@ann_lee", "username"),
        ("from 192.168.10.254 at", "192.168.10.254", "ip_address"),
        ("from 10.0.0.1 at", "10.0.0.1", "ip_address"),
        ("from 2001:db8::8a2e:370:7334 at", "2001:db8::8a2e:370:7334", "ip_address"),
        ("mac 00:1A:2b:3c:4D:5e is", "00:1A:2b:3c:4D:5e", "mac_address"),
        ("at 52.520008, 13.404954 now", "52.520008, 13.404954", "coordinates"),
        ("lives at POINT(2.3522 48.8566), says", "POINT(2.3522 48.8566)", "coordinates"),
        ("area SRID=4326;POLYGON((10 50, 11 50, 11 51, 10 50)) now", "SRID=4326;POLYGON((10 50, 11 50, 11 51, 10 50))", "coordinates"),
        ("iban DE89 3704 0044 0532 0130 00 today", "DE89 3704 0044 0532 0130 00", "iban"),
        ("card 4111-1111-1111-1111 expired", "4111-1111-1111-1111", "credit_card"),
        ("SSN 078-05-1120.", "078-05-1120", "national_id"),
        ("cpf 390.533.447-05", "390.533.447-05", "national_id"),
        ("codice RSSMRA85T10A562S", "RSSMRA85T10A562S", "national_id"),
        ("call +49 (0)30 1234567 now", "+49 (0)30 1234567", "phone"),
        ("phone: 555 0123", "555 0123", "phone"),
        ("(212) 555-0188x12", "(212) 555-0188x12", "phone"),
        ("born 24 December 1981 in", "24 December 1981", "birth_date"),
        ("due 2024-02-29T10:00:00Z.", "2024-02-29T10:00:00Z", "date"),
        ("on 03/04/1999,", "03/04/1999", "date"),
        ("since 1998 she", "1998", "date"),
        ("on friday she", "friday", "date"),
        ("she is 43 years old", "43", "age"),
        ("zip code is SW1A 1AA", "SW1A 1AA", "postcode"),
        ("passport no. C01X00T47", "C01X00T47", "passport"),
        ('203.0.113.9 - qtjarks [10/Jan/2024:13:55:36 +0000] "GET /"', "qtjarks", "username"),
        ("my account number: 10023456", "10023456", "bank_account"),
        ("PSC 1234, Box 5678\nAPO AE 09012", "PSC 1234, Box 5678\nAPO AE 09012", "address"),
        ("password is hunter2!", "hunter2!", "password"),
        ("key ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHI1 leaked", "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHI1", "secret"),
        ("customer_id=17 failed", "17", "person_id"),
        ('{"user_id": 4, "n": 3}', "4", "person_id"),
        ("client no. 42 asked", "42", "person_id"),
        ("uid=266 action=export", "266", "person_id"),
        ("user.id=5 failed", "5", "person_id"),
        ("where users.id = 5", "5", "person_id"),
        ("user[id]=5&n=1", "5", "person_id"),
        ("ownerUserId=5", "5", "person_id"),
        ("'user_id' => 5,", "5", "person_id"),
        ("GET /users/5/orders", "5", "person_id"),
        ("guest #42 in the file", "42", "person_id"),
        ("user:5 failed", "5", "person_id"),
        ("usr_id=5", "5", "person_id"),
        ("account_id=5", "5", "person_id"),
        ("select * from t where user_id IN (17, 6)", "17", "person_id"),
        ("select * from t where user_id IN (17, 6)", "6", "person_id"),
        ('{"userIds": [4, 51]}', "51", "person_id"),
        ("in C:\\Users\\jsmith\\Documents", "jsmith", "username"),
        ("in /Users/jsmith/Documents", "jsmith", "username"),
        ("From: =?utf-8?B?WmRlbmthIEJhcmtob2x6?= <x>", "=?utf-8?B?WmRlbmthIEJhcmtob2x6?=", "person_name"),
        (f"cursor={BASE64} next", BASE64, "secret"),
        (f"cursor={BASE64.replace('+', '-')} next", BASE64.replace("+", "-"), "secret"),
        ("img /a/0e519ecf7fb1eaed59fd8b6c8c1e2a3b.png", "0e519ecf7fb1eaed59fd8b6c8c1e2a3b", "secret"),
    ],
)
def test_a_value_is_found_whole_and_as_what_it_is(text: str, value: str, entity: str) -> None:
    assert found(text).get(value) == entity, found(text)


@pytest.mark.parametrize(
    "text",
    [
        "version 3.11.4, build 1.2.3",
        "it costs 1,234,567.89 in all",
        "12:34:56 is the time",
        "1.000.000 rows, 56% more",
        "between pages 17 and 42",
        "4111 1111 1111 1112 has the wrong check digit",
        "DE89 3704 0044 0532 0130 01 does too",
        "size 1920x1080",
        "999.999.999.999 is no address",
        "a@b is none either",
        "std::vector<int>::iterator",
        "the years 1990-1995",
        "the customer is number 1, and 3 users of 5 stars",
        "client no. 3.5 of contact 17",
        "guest #1 in line, patient #3 of 7, customer #2 in the queue",
        "superusers 5, members number 12",
        "user 5 star rating, account 1 of 3, client:10:30, user:5-star",
        "account ids in (the list), superuser_ids: [4, 5], users in [1, 2]",
        "C:\\Users\\Public\\a.txt, GET /users/search",
        "internationalization of configuration/srv/uploads/documents/final",
    ],
)
def test_what_only_looks_like_a_value_is_left(text: str) -> None:
    assert set(found(text).values()) <= {"date"}, found(text)


def test_users_of_a_log_without_ends_of_lines_are_found_once_each() -> None:
    text = " ".join(f'203.0.113.{n} - qtjarks [10/Jan/2024:13:55:36 +0000] "GET /u/qtjarks"' for n in range(100))
    assert sum(f.entity == "username" for f in scan(text)) == 200


def test_the_user_of_a_line_of_a_log_is_found_in_the_address_that_was_asked_for_and_in_no_other_line() -> None:
    line = '203.0.113.9 - {} [10/Jan/2024:13:55:36 +0000] "GET /u/{}/orders HTTP/1.1" 200'
    text = "\n".join((line.format("qtjarks", "qtjarks"), line.format("-", "qtjarks"), line.format("bov", "qtjarksen")))
    users = [(text[f.start : f.end], text.count("\n", 0, f.start)) for f in settled(text, scan(text)) if f.entity == "username"]
    assert users == [("qtjarks", 0), ("qtjarks", 0), ("bov", 2)]


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1-",
        "1 ",
        "a@",
        "a.",
        "ab:",
        "(",
        "+1 ",
        "www.",
        "password is ",
        "GB12 ",
        "0.",
        "1(",
        "born ",
        "card no ",
        "x-",
        "is a ",
        "=?a?b?",
        "user id ",
        "/users/",
        "ab/",
    ],
)
def test_the_time_is_linear_whatever_is_repeated(unit: str) -> None:
    # a pattern that tries ways without number never ends on a hundred thousand characters
    scan(unit * (100_000 // len(unit)))


def test_the_time_is_linear_in_the_lines_of_a_log() -> None:
    text = "status 200 53 " * 20_000
    spans = [Found(start, start + 6, "phone", POSSIBLE) for start in range(7, len(text), 14)]
    began = process_time()
    assert without_server(text, spans) == []
    assert process_time() - began < 2
