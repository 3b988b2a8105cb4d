"""The request is exactly as documented, and the response is parsed leniently."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import (
    BusyError,
    DeclinedError,
    MisconfiguredError,
    ResultLostError,
    ServiceError,
    ServiceFailedError,
)
from bot.domain.pricing import Quality
from bot.edit_api.wire import (
    MAX_MESSAGE,
    MAX_URL,
    EditCall,
    ThrottledError,
    body_around_image,
    body_with_url,
    needs_data_url,
    parse_response,
    parse_retry_after,
)

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
CALL = EditCall(
    prompt='a "quoted" word,\n\\ and 🐟',
    source_url="https://cdn.example.com/a.png?is=1&hm=2",
    ratio="4:3",
    quality=Quality.HIGH,
    count=2,
)
EXAMPLE = {
    "code": 0,
    "message": "ok",
    "data": {"images": [{"url": "https://cdn.gptimageapi.dev/edits/1234567890.png"}]},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "data", "images", "url"]), values, max_size=3)
    ),
)


def test_the_request_is_as_documented():
    assert json.loads(body_with_url(CALL)) == {
        "prompt": CALL.prompt,
        "image": CALL.source_url,
        "model": "gpt-image-2",
        "size": "4:3",
        "quality": "high",
        "n": 2,
    }


def test_a_data_url_fits_between_the_two_parts_of_the_request():
    before, after = body_around_image(CALL)
    assert json.loads(before + b"data:image/png;base64,AA+/" + after) == {
        **json.loads(body_with_url(CALL)),
        "image": "data:image/png;base64,AA+/",
    }


@given(st.text(st.characters()), st.text())
def test_any_prompt_and_url_survive_the_encoding(prompt: str, address: str):
    call = EditCall(prompt, address, "1:1", Quality.LOW, 1)
    body = json.loads(body_with_url(call))
    assert (body["prompt"], body["image"]) == (prompt, address)


def test_the_repr_of_a_call_hides_prompt_and_source():
    assert repr(CALL) == "EditCall(ratio='4:3', quality=<Quality.HIGH: 'high'>, count=2)"


def test_the_documented_example_is_parsed():
    assert answered(EXAMPLE) == ("https://cdn.gptimageapi.dev/edits/1234567890.png",)


def test_surplus_results_are_dropped():
    assert answered(success("a", "b", "c"), count=2) == ("a", "b")


def test_fewer_results_than_requested_are_accepted():
    assert answered(success("a"), count=4) == ("a",)


def test_entries_without_a_usable_url_are_skipped():
    images = [
        None,
        "text",
        {},
        {"url": None},
        {"url": 7},
        {"url": ""},
        {"url": "a\nb"},
        {"url": "\ud83d"},
        {"url": "a" * (MAX_URL + 1)},
        {"url": "a", "more": 1},
    ]
    assert answered({"code": 0, "data": {"images": images}}, count=2) == ("a",)


@pytest.mark.parametrize("images", [[], [{"b64": "A"}], [None, "a"]])
def test_a_success_without_a_url_is_a_lost_result(images: list[object]):
    with pytest.raises(ResultLostError):
        answered({"code": 0, "data": {"images": images}})


@pytest.mark.parametrize("data", [None, [], {}, {"images": None}, {"images": {}}, {"images": "a"}])
def test_a_malformed_success_is_a_service_failure(data: object):
    with pytest.raises(ServiceFailedError):
        answered({"code": 0, "data": data})


@pytest.mark.parametrize("code", [0.0, "0"])
def test_a_success_is_recognized_in_other_spellings_of_its_code(code: object):
    assert answered({**success("a"), "code": code}) == ("a",)


@pytest.mark.parametrize("code", [1, -1, 400, 10**30, 0.5, "blocked", ""])
def test_a_nonzero_code_declines_with_the_apis_message(code: object):
    with pytest.raises(DeclinedError) as refusal:
        answered({"code": code, "message": "no such thing", "data": "odd"})
    assert refusal.value.message == "no such thing"


def test_a_nonzero_code_declines_even_with_images():
    with pytest.raises(DeclinedError):
        answered({**success("a"), "code": 1})


@pytest.mark.parametrize("message", [None, 7, "", " \n", ["no"], {"text": "no"}])
def test_a_message_that_is_not_a_string_is_dropped(message: object):
    with pytest.raises(DeclinedError) as refusal:
        answered({"code": 1, "message": message})
    assert refusal.value.message is None


def test_a_message_is_truncated_and_cleaned_of_what_cannot_be_stored():
    with pytest.raises(DeclinedError) as refusal:
        answered({"code": 1, "message": "\0a\ud83d" + "x " * MAX_MESSAGE})
    message = refusal.value.message
    assert message is not None
    assert len(message) <= MAX_MESSAGE
    assert message.startswith("a?x")
    assert "\0" not in message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b'{"code": ' + b"9" * 5000 + b"}",
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b'{"code": null}',
        b'{"code": 0}',
        b'{"code": [0]}',
        b'{"code": false, "data": {"images": [{"url": "a"}]}}',
        b'{"code": true}',
    ],
)
def test_an_unreadable_response_is_a_service_failure(body: bytes):
    with pytest.raises(ServiceFailedError):
        parse_response(200, {}, body, count=1, now=NOW)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_rejected_key_is_a_misconfiguration_whatever_the_body_says(status: int):
    with pytest.raises(MisconfiguredError) as refusal:
        answered(EXAMPLE, status)
    assert refusal.value.status == status


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 451, 499])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "too long"}', "too long"),
        (b'{"code": 0, "message": "too long"}', "too long"),
        (b'{"error": "too long"}', "too long"),
        (b'{"error": {"message": "too long"}}', "too long"),
        (b"<html>", None),
        (b"", None),
        (b"[1]", None),
    ],
)
def test_other_4xx_statuses_decline_with_the_message_if_there_is_one(
    status: int, body: bytes, message: str | None
):
    with pytest.raises(DeclinedError) as refusal:
        parse_response(status, {}, body, count=1, now=NOW)
    assert refusal.value.message == message


@pytest.mark.parametrize("status", [100, 204, 301, 302, 307, 500, 502, 503, 504, 599])
def test_other_statuses_are_service_failures(status: int):
    body = b"" if status == 204 else json.dumps(EXAMPLE).encode()
    with pytest.raises(ServiceFailedError):
        parse_response(status, {}, body, count=1, now=NOW)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_a_response_with_a_retry_after_is_throttling(status: int, name: str):
    with pytest.raises(ThrottledError) as refusal:
        parse_response(status, {name: "7"}, b"", count=1, now=NOW)
    assert refusal.value.retry_after == 7


def test_a_429_without_a_usable_retry_after_is_busy():
    for headers in ({}, {"Retry-After": "soon"}):
        with pytest.raises(BusyError) as refusal:
            parse_response(429, headers, b"", count=1, now=NOW)
        assert not isinstance(refusal.value, ThrottledError)


def test_retry_after_is_ignored_with_other_statuses():
    with pytest.raises(ServiceFailedError):
        parse_response(500, {"Retry-After": "1"}, b"", count=1, now=NOW)


@given(
    status=st.just(200) | st.integers(100, 599),
    body=st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()),
    retry_after=st.text(max_size=20),
)
def test_any_response_is_parsed_or_raises_a_service_error(
    status: int, body: bytes, retry_after: str
):
    try:
        addresses = parse_response(status, {"Retry-After": retry_after}, body, count=2, now=NOW)
    except ServiceError:
        return
    assert 1 <= len(addresses) <= 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("999999999999", 999999999999),
        ("Sun, 01 Jun 2025 12:00:30 GMT", 30),
        ("Sun, 01 Jun 2025 12:00:30 -0000", 30),
        ("Sun, 01 Jun 2025 13:00:30 +0100", 30),
        ("Sun, 01 Jun 2025 11:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float):
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "-1",
        "nan",
        "inf",
        "1e3",
        "1_0",
        "\N{ARABIC-INDIC DIGIT SEVEN}",
        "soon",
        "9" * 400,
        "7 seconds",
        "Sun, 99 Jun 2025 99:99:99 GMT",
        "Sun, 01 Jun 99999 12:00:00 GMT",
    ],
)
def test_any_other_retry_after_is_unusable(value: str | None):
    assert parse_retry_after(value, NOW) is None


@given(st.text(), st.timedeltas(timedelta(0), timedelta(9999)))
def test_retry_after_is_never_negative(value: str, later: timedelta):
    seconds = parse_retry_after(value, NOW + later)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("source", "api", "expected"),
    [
        ("http://127.0.0.1:9/a.png", "https://api.gptimageapi.dev", True),
        ("http://localhost:9/a.png", "https://api.gptimageapi.dev", True),
        ("http://[::1]:9/a.png", "https://api.gptimageapi.dev", True),
        ("http://192.168.1.7/a.png", "https://api.gptimageapi.dev", True),
        ("http://127.0.0.1:9/a.png", "http://127.0.0.1:8", False),
        ("http://127.0.0.1:9/a.png", "http://localhost:8", False),
        ("https://cdn.discordapp.com/a.png", "https://api.gptimageapi.dev", False),
        ("https://cdn.discordapp.com/a.png", "http://127.0.0.1:8", False),
    ],
)
def test_a_local_source_is_sent_as_data_to_a_remote_api(source: str, api: str, *, expected: bool):
    assert needs_data_url(source, api) is expected


def success(*urls: str) -> dict[str, object]:
    return {"code": 0, "message": "ok", "data": {"images": [{"url": url} for url in urls]}}


def answered(answer: object, status: int = 200, count: int = 1) -> tuple[str, ...]:
    return parse_response(status, {}, json.dumps(answer).encode(), count=count, now=NOW)


@pytest.mark.parametrize(
    "quoted",
    [
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml;charset=utf-8,%3Csvg%3E",
        f"{'iVBORw0KGgo' * 4}==",
        "iVBORw0KGgo_-/+" * 3,
    ],
)
def test_a_message_that_quotes_the_image_is_shown_without_it(quoted: str):
    body = json.dumps({"message": f"can't read {quoted} as an image"}).encode()
    with pytest.raises(DeclinedError) as declined:
        parse_response(400, {}, body, count=1, now=NOW)
    assert declined.value.message == "can't read … as an image"
