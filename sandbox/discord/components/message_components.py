"""Message components, old and new: Discord's rules for them, and how it returns them.

The rules are those of https://discord.com/developers/docs/components/reference and of Discord's
OpenAPI description.
"""

from collections.abc import Mapping
from enum import IntEnum

from sandbox.discord.cdn import StoredFile
from sandbox.discord.components.components import MOST_TEXT, SELECTS, ComponentReader, Kind
from sandbox.discord.interactions.forms import Form, Problems
from sandbox.values import JsonObject, snowflake, text_at

MOST_COMPONENTS = 40
MOST_ROWS = 5
MOST_IN_ROW = 5
MOST_IN_GALLERY = 10
MOST_IN_SECTION = 3
LONGEST_ALT_TEXT = 1024
LONGEST_URL = 2048
ATTACHMENT = "attachment://"


class Style(IntEnum):
    """The styles of buttons."""

    PRIMARY = 1
    SECONDARY = 2
    SUCCESS = 3
    DANGER = 4
    LINK = 5
    PREMIUM = 6


IN_ROW = SELECTS | {Kind.BUTTON}
IN_CONTAINER = frozenset(
    {
        Kind.ACTION_ROW,
        Kind.SECTION,
        Kind.TEXT_DISPLAY,
        Kind.MEDIA_GALLERY,
        Kind.FILE,
        Kind.SEPARATOR,
    }
)
ON_TOP = IN_CONTAINER | {Kind.CONTAINER}
ONLY_ROWS = frozenset({Kind.ACTION_ROW})


class MessageReader(ComponentReader):
    """Reads the components of one message and counts what is limited for all of them together."""

    def __init__(self, problems: Problems, files: Mapping[str, StoredFile]) -> None:
        super().__init__(problems)
        self.files = files
        self.used: set[int] = set()
        self.alt_texts: dict[int, str] = {}
        self.readers = {
            Kind.ACTION_ROW: self._row,
            Kind.BUTTON: self._button,
            **dict.fromkeys(SELECTS, self._select_in_row),
            Kind.SECTION: self._section,
            Kind.TEXT_DISPLAY: self._text,
            Kind.THUMBNAIL: self._image,
            Kind.MEDIA_GALLERY: self._gallery,
            Kind.FILE: self._file,
            Kind.SEPARATOR: self._separator,
            Kind.CONTAINER: self._container,
        }

    def read(self, form: Form, *, v2: bool) -> tuple[JsonObject, ...]:
        """Return what a message's `components` become."""
        most = MOST_COMPONENTS if v2 else MOST_ROWS
        given = form.objects("components", most=most) or []
        read = self.read_all(given, ON_TOP if v2 else ONLY_ROWS)
        if self.count > MOST_COMPONENTS:
            words = f"The total number of components cannot exceed {MOST_COMPONENTS}"
            form.wrong("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", words)
        if self.letters > MOST_TEXT:
            words = f"The total length of displayable text cannot exceed {MOST_TEXT}"
            form.wrong("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", words)
        return tuple(read)

    def _row(self, form: Form) -> JsonObject:
        items = form.objects("components", fewest=1, most=MOST_IN_ROW, required=True) or []
        read = self._each(items, IN_ROW)
        if len(read) > 1 and any(item["type"] in SELECTS for item in read):
            words = "The specified component exceeds the maximum width"
            form.wrong("components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words)
        return {"components": read}

    def _button(self, form: Form) -> JsonObject:
        style = form.choice("style", of=list(Style), required=True)
        label = form.string("label", longest=80)
        emoji = form.object("emoji")
        body: JsonObject = {"style": style}
        if label:
            body["label"] = label
        if emoji is not None:
            body["emoji"] = emoji.fields
        if form.boolean("disabled"):
            body["disabled"] = True
        match style:
            case Style.PREMIUM:
                body["sku_id"] = str(form.snowflake("sku_id", required=True))
                return body
            case Style.LINK:
                body["url"] = form.string("url", longest=512, shortest=1, required=True)
                if form.fields.get("custom_id") is not None:
                    words = "A custom id and url cannot both be specified"
                    form.wrong(
                        "custom_id", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", words
                    )
            case _:
                body["custom_id"] = self._custom_id(form)
                if form.fields.get("url") is not None:
                    words = "A custom id and url cannot both be specified"
                    form.wrong("url", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", words)
        if not label and emoji is None:
            words = "A button must have a label or emoji"
            form.wrong(None, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", words)
        return body

    def _select_in_row(self, form: Form) -> JsonObject:
        body = self._select(form)
        if form.boolean("disabled"):
            body["disabled"] = True
        return body

    def _section(self, form: Form) -> JsonObject:
        texts = form.objects("components", fewest=1, most=MOST_IN_SECTION, required=True) or []
        accessory = form.object("accessory", required=True)
        body: JsonObject = {"components": self._each(texts, {Kind.TEXT_DISPLAY})}
        if accessory is not None:
            body["accessory"] = self._component(accessory, {Kind.BUTTON, Kind.THUMBNAIL})
        return body

    def _image(self, form: Form) -> JsonObject:
        description = form.string("description", shortest=1, longest=LONGEST_ALT_TEXT)
        media = self._media(form, "media")
        attached = snowflake(media.get("attachment_id"))
        if attached is not None and description is not None:
            self.alt_texts[attached] = description
        return {
            "media": media,
            "description": description,
            "spoiler": bool(form.boolean("spoiler")),
        }

    def _gallery(self, form: Form) -> JsonObject:
        items = form.objects("items", fewest=1, most=MOST_IN_GALLERY, required=True) or []
        return {"items": [self._image(item) for item in items]}

    def _file(self, form: Form) -> JsonObject:
        media = self._media(form, "file", only_attached=True)
        name = text_at(media, "url").partition("?")[0].rpartition("/")[2]
        size = next((each.size for each in self.files.values() if each.url == media.get("url")), 0)
        spoiler = bool(form.boolean("spoiler"))
        return {"file": media, "name": name, "size": size, "spoiler": spoiler}

    def _separator(self, form: Form) -> JsonObject:
        spacing = form.choice("spacing", of={1, 2})
        divider = form.boolean("divider")
        return {"spacing": spacing or 1, "divider": True if divider is None else divider}

    def _container(self, form: Form) -> JsonObject:
        items = form.objects("components", fewest=1, most=MOST_COMPONENTS, required=True) or []
        return {
            "accent_color": form.integer("accent_color", most=0xFFFFFF),
            "spoiler": bool(form.boolean("spoiler")),
            "components": self._each(items, IN_CONTAINER),
        }

    def _media(self, form: Form, key: str, *, only_attached: bool = False) -> JsonObject:
        media = form.object(key, required=True)
        if media is None:
            return {}
        url = media.string("url", shortest=1, longest=LONGEST_URL, required=True) or ""
        if url.startswith(ATTACHMENT):
            file = self.files.get(url.removeprefix(ATTACHMENT))
            if file is None:
                words = f"Referenced attachment not found: {url}"
                media.wrong("url", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", words)
                return {}
            self.used.add(file.id)
            return file.media()
        if only_attached or not url.startswith(("http://", "https://")):
            schemes = "('attachment',)" if only_attached else "('http', 'https', 'attachment')"
            words = f'Scheme "{url.partition(":")[0]}" is not supported. Must be one of {schemes}.'
            media.wrong("url", "URL_TYPE_INVALID_SCHEME", words)
            return {}
        return {
            "id": "0",
            "url": url,
            "proxy_url": url,
            "width": 0,
            "height": 0,
            "content_type": None,
            "loading_state": 1,
        }
