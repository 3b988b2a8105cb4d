"""Interactions (https://discord.com/developers/docs/interactions/receiving-and-responding)."""

from dataclasses import dataclass, field

from sandbox.discord.interactions.forms import Form, Problems
from sandbox.discord.interactions.interactions import CallbackType, Interaction, InteractionType
from sandbox.discord.interactions.invocation import focused_kind
from sandbox.discord.interactions.modals import check_choices, read_modal
from sandbox.discord.message_rules import Place
from sandbox.discord.messages import (
    COMMAND_ANSWER,
    CONTEXT_COMMAND_ANSWER,
    REPLY,
    Flag,
    Message,
    Revision,
)
from sandbox.discord.rest.answers import (
    ALREADY_ACKNOWLEDGED,
    DEAD_TOKEN,
    DONE,
    UNKNOWN_CHANNEL,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    Reply,
    RestCall,
    Route,
)
from sandbox.discord.rest.messages import compose, edit
from sandbox.discord.uploads import Body
from sandbox.discord.world import Change, World
from sandbox.values import JsonObject, as_integer, object_at


@dataclass(slots=True)
class Interactions:
    """All interactions, by id, by token and by the messages of their responses."""

    by_id: dict[int, Interaction] = field(default_factory=dict[int, Interaction])
    by_token: dict[str, Interaction] = field(default_factory=dict[str, Interaction])
    by_message: dict[int, list[Interaction]] = field(default_factory=dict[int, list[Interaction]])

    def add(self, interaction: Interaction) -> None:
        """Remember an interaction."""
        self.by_id[interaction.id] = interaction
        self.by_token[interaction.token] = interaction

    def bind(self, interaction: Interaction, message: Message) -> None:
        """Remember that an interaction posted a message, or was answered by editing it."""
        self.by_message.setdefault(message.id, []).append(interaction)


class InteractionRoutes:
    """The first response to an interaction, and the messages that follow it."""

    def __init__(self, world: World) -> None:
        self.interactions = Interactions()
        self._world = world
        world.listeners.append(self._wake)

    def routes(self) -> list[Route]:
        """Return the routes."""
        answers = "/webhooks/{application}/{token}/messages/{message}"
        return [
            ("POST", "/interactions/{interaction}/{token}/callback", self._acknowledge),
            ("POST", "/webhooks/{application}/{token}", self._follow_up),
            ("GET", answers, self._get_answer),
            ("PATCH", answers, self._edit_answer),
            ("DELETE", answers, self._delete_answer),
        ]

    def _wake(self, change: Change) -> None:
        for interaction in self.interactions.by_message.get(change.message.id, ()):
            interaction.changed.fire()

    def _acknowledge(self, call: RestCall) -> Reply:
        interaction = self.interactions.by_id.get(call.id("interaction"))
        if interaction is None or interaction.token != call.where["token"]:
            raise UNKNOWN_INTERACTION.error()
        if interaction.acknowledgement is not None:
            raise ALREADY_ACKNOWLEDGED.error()
        if interaction.late:
            raise UNKNOWN_INTERACTION.error()
        form = Form(call.body.fields, Problems())
        kind = form.choice("type", of=_ways(interaction), required=True)
        form.problems.check()
        data = object_at(call.body.fields, "data")
        if kind == CallbackType.MODAL:
            data = read_modal(data)
        message = self._first_answer(interaction, CallbackType(kind or 0), call.body, data)
        if message is not None and message is interaction.source:
            self.interactions.bind(interaction, message)
        flags = 0 if message is None else message.flags
        interaction.acknowledge(kind or 0, flags, message, data)
        if not call.flag("with_response"):
            return DONE
        return Reply(_callback_response(interaction, kind or 0, message))

    def _first_answer(
        self, interaction: Interaction, kind: CallbackType, body: Body, data: JsonObject
    ) -> Message | None:
        match kind:
            case CallbackType.MESSAGE | CallbackType.DEFERRED_MESSAGE:
                return self._post_answer(interaction, body, data, kind)
            case CallbackType.UPDATE if interaction.source is not None:
                edit(
                    self._world,
                    interaction.source,
                    body,
                    interaction.attachment_size_limit,
                    within="data",
                )
                return interaction.source
            case CallbackType.DEFERRED_UPDATE:
                return interaction.source
            case CallbackType.CHOICES:
                check_choices(data, focused_kind(interaction.payload))
            case _:
                pass
        return None

    def _post_answer(
        self, interaction: Interaction, body: Body, data: JsonObject, kind: CallbackType
    ) -> Message:
        channel = interaction.channel
        asked = as_integer(data.get("flags")) or 0
        place = Place(f"attachments/{channel.id}", asked & Flag.EPHEMERAL)
        if kind is CallbackType.DEFERRED_MESSAGE:
            now = self._world.clock.now()
            revision = Revision(now, "", (), (), (), place.flags | Flag.LOADING)
        else:
            limit = interaction.attachment_size_limit
            revision = compose(self._world, body, place, limit, within="data")
        message = self._new_answer(interaction, revision)
        self._world.created(message)
        return message

    def _new_answer(self, interaction: Interaction, revision: Revision) -> Message:
        command = interaction.type is InteractionType.COMMAND
        chat = object_at(interaction.payload, "data").get("type") == 1
        kind = (COMMAND_ANSWER if chat else CONTEXT_COMMAND_ANSWER) if command else REPLY
        message = Message(
            self._world.new_id(),
            interaction.channel,
            self._world.bot,
            [revision],
            pinged=revision.mentions,
            kind=kind,
            application_id=self._world.application_id,
            interaction_metadata=interaction.metadata(),
            refers_to=interaction.about,
        )
        self.interactions.bind(interaction, message)
        return message

    def _interaction(self, call: RestCall) -> Interaction:
        interaction = self.interactions.by_token.get(call.where["token"])
        if interaction is None or call.id("application") != self._world.application_id:
            raise UNKNOWN_WEBHOOK.error()
        if interaction.expired:
            raise DEAD_TOKEN.error()
        if interaction.acknowledgement is None:
            raise UNKNOWN_WEBHOOK.error()
        return interaction

    def _answer_of(self, call: RestCall) -> tuple[Interaction, Message]:
        interaction = self._interaction(call)
        if interaction.channel.id not in self._world.channels:
            raise UNKNOWN_CHANNEL.error()
        wanted = call.where["message"]
        mine = [interaction.message, *interaction.followups]
        message = mine[0]
        if wanted != "@original":
            known = (each for each in mine if each is not None and str(each.id) == wanted)
            message = next(known, None)
        if message is None or message.deleted:
            raise UNKNOWN_MESSAGE.error()
        return interaction, message

    def _get_answer(self, call: RestCall) -> Reply:
        return Reply(self._answer_of(call)[1].to_json())

    def _edit_answer(self, call: RestCall) -> Reply:
        interaction, message = self._answer_of(call)
        edit(self._world, message, call.body, interaction.attachment_size_limit)
        interaction.changed.fire()
        return Reply(message.to_json())

    def _delete_answer(self, call: RestCall) -> Reply:
        interaction, message = self._answer_of(call)
        self._world.deleted(message)
        interaction.changed.fire()
        return DONE

    def _follow_up(self, call: RestCall) -> Reply:
        interaction = self._interaction(call)
        first = interaction.message
        if first is not None and first.loading and not first.deleted:
            edit(self._world, first, call.body, interaction.attachment_size_limit)
            interaction.changed.fire()
            return Reply(first.to_json())
        asked = as_integer(call.body.fields.get("flags")) or 0
        folder = f"attachments/{interaction.channel.id}"
        place = Place(folder, asked & Flag.EPHEMERAL)
        revision = compose(self._world, call.body, place, interaction.attachment_size_limit)
        message = self._new_answer(interaction, revision)
        message.kind = REPLY
        if first is not None:
            message.refers_to = first
            told: JsonObject = {"original_response_message_id": str(first.id)}
            message.interaction_metadata = interaction.metadata() | told
        interaction.followups.append(message)
        self._world.created(message)
        interaction.changed.fire()
        return Reply(message.to_json())


def _ways(interaction: Interaction) -> set[int]:
    """Return the callback types that an interaction accepts."""
    deferred = {CallbackType.MESSAGE, CallbackType.DEFERRED_MESSAGE}
    update = {CallbackType.DEFERRED_UPDATE, CallbackType.UPDATE}
    match interaction.type:
        case InteractionType.COMMAND:
            return {*deferred, CallbackType.MODAL}
        case InteractionType.COMPONENT:
            return {*deferred, *update, CallbackType.MODAL}
        case InteractionType.MODAL:
            return {*deferred, *(update if interaction.source is not None else ())}
        case InteractionType.AUTOCOMPLETE:
            return {CallbackType.CHOICES}


def _callback_response(interaction: Interaction, kind: int, message: Message | None) -> JsonObject:
    told: JsonObject = {
        "id": str(interaction.id),
        "type": interaction.type,
        "activity_instance_id": None,
        "channel_id": str(interaction.channel.id),
    }
    body: JsonObject = {"interaction": told}
    if message is not None:
        told["response_message_id"] = str(message.id)
        told["response_message_loading"] = message.loading
        told["response_message_ephemeral"] = message.ephemeral
        body["resource"] = {"type": kind, "message": message.to_json()}
    return body
