"""Who may ask the sandbox's servers anything, and what is told of each request."""

import aiohttp
import pytest

from sandbox.exchanges import Exchange
from sandbox.faults import CutBefore, DiscordFault
from sandbox.sandbox import Upload
from tests.sandbox.client import PICTURE, Client


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "elsewhere.example"},
    ],
)
async def test_no_server_answers_a_browser_or_another_name(client: Client, headers: dict[str, str]):
    sandbox = client.sandbox
    addresses = (
        f"{sandbox.discord_api_url}/gateway",
        sandbox.discord.gateway.url.replace("ws:", "http:"),
        f"{sandbox.edit_api_url}/edits/1234567890.png",
    )
    async with aiohttp.ClientSession() as session:
        for address in addresses:
            async with session.get(address, headers=headers) as response:
                assert response.status == 403


async def test_a_request_is_told_when_it_begins_and_when_it_ends(client: Client):
    told: list[Exchange] = []
    client.sandbox.exchanges.listeners.append(told.append)
    await client.send("POST", client.messages, {"content": "ahoy"})
    begun, ended = told
    assert (begun.method, begun.status, begun.seconds) == ("POST", None, None)
    assert begun.path.endswith(client.messages)
    assert (ended.number, ended.status) == (begun.number, 200)
    assert ended.seconds is not None


async def test_what_is_told_of_paths_has_no_token(client: Client):
    told: list[Exchange] = []
    await client.register()
    client.sandbox.exchanges.listeners.append(told.append)
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    await client.send("PATCH", client.answer(interaction), {"content": "done"})
    await client.send("GET", f"/unknown/{interaction.token}")
    paths = " ".join(each.path for each in told)
    assert "/interactions/" in paths
    assert "/webhooks/" in paths
    assert not [each for each in told if interaction.token in repr(each)]


async def test_refusals_have_a_status_and_cut_connections_have_none(client: Client):
    told: list[Exchange] = []
    sandbox = client.sandbox
    sandbox.exchanges.listeners.append(told.append)
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{sandbox.edit_api_url}/v1/images/edit") as response:
            assert response.status == 405
        assert told[-1].status == 405
        sandbox.faults.discord.add(DiscordFault(action=CutBefore()))
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(f"{sandbox.discord_api_url}/channels/1/messages", json={})
        assert (told[-1].status, told[-1].seconds is None) == (None, False)


async def test_an_embeds_own_image_is_served_and_stands_nowhere_else(client: Client):
    embed = {"image": {"url": "attachment://inside.png"}, "footer": {"text": "f"}}
    files = {"inside.png": PICTURE, "beside.png": PICTURE}
    answer = await client.send("POST", client.messages, {"embeds": [embed]}, files=files)
    assert answer.status == 200
    (message,) = client.sandbox.discord.messages(client.channel)
    assert [file.name for file in message.attachments] == ["beside.png"]
    image = message.embeds[0]["image"]
    assert isinstance(image, dict)
    assert image["url"] == message.files[0].url
    async with (
        aiohttp.ClientSession() as session,
        session.get(str(message.files[0].url)) as response,
    ):
        assert await response.read() == PICTURE


async def test_a_broken_signature_of_any_letters_is_no_address(client: Client):
    message = await client.sandbox.discord.say(
        client.channel, client.member, "", [Upload("a.png", PICTURE)]
    )
    address = message.files[0].url.partition("?")[0]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address}?ex=1&is=1&hm=%C3%A9") as response,
    ):
        assert response.status == 404
