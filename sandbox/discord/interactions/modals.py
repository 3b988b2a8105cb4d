"""Forms and suggestions that a bot answers an interaction with: Discord's rules for them."""

from sandbox.discord.components.components import LONGEST_CUSTOM_ID, SELECTS, ComponentReader, Kind
from sandbox.discord.interactions.commands import INT53, OptionType
from sandbox.discord.interactions.forms import Form, Problems
from sandbox.values import JsonObject, as_array

MOST_CHOICES = 25
LONGEST_CHOICE = 100
MOST_FIELDS = 5
MOST_UPLOADS = 10
MOST_BOXES = 10
LONGEST_TITLE = 45
LONGEST_LABEL = 45
LONGEST_DESCRIPTION = 100
LONGEST_HINT = 100
LONGEST_INPUT = 4000

ON_TOP = frozenset({Kind.ACTION_ROW, Kind.TEXT_DISPLAY, Kind.LABEL})
LABELLED = SELECTS | {
    Kind.TEXT_INPUT,
    Kind.FILE_UPLOAD,
    Kind.RADIO_GROUP,
    Kind.CHECKBOX_GROUP,
    Kind.CHECKBOX,
}


def check_choices(data: JsonObject, kind: object) -> None:
    """Refuse suggestions that Discord would not show for an option's kind; raises DiscordError."""
    problems = Problems()
    form = Form(data, problems, ("data",))
    for choice in form.objects("choices", most=MOST_CHOICES, required=True) or []:
        choice.string("name", shortest=1, longest=100, required=True)
        match kind:
            case OptionType.STRING:
                choice.string("value", longest=LONGEST_CHOICE, required=True)
            case OptionType.INTEGER:
                choice.integer("value", least=-INT53, most=INT53, required=True)
            case _:
                choice.number("value", required=True)
    problems.check()


def read_modal(data: JsonObject) -> JsonObject:
    """Return a form as Discord shows it; raises DiscordError for one that it would not show."""
    problems = Problems()
    form = Form(data, problems, ("data",))
    longest = LONGEST_CUSTOM_ID
    shown: JsonObject = {
        "custom_id": form.string("custom_id", shortest=1, longest=longest, required=True),
        "title": form.string("title", shortest=1, longest=LONGEST_TITLE, required=True),
        "components": FormReader(problems).read(form),
    }
    problems.check()
    return shown


class FormReader(ComponentReader):
    """Reads the components of one form."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(problems)
        self.readers = {
            Kind.ACTION_ROW: self._row,
            Kind.LABEL: self._label,
            Kind.TEXT_DISPLAY: self._text,
            Kind.TEXT_INPUT: self._input,
            **dict.fromkeys(SELECTS, self._select_in_label),
            Kind.FILE_UPLOAD: self._upload,
            Kind.RADIO_GROUP: self._radio_group,
            Kind.CHECKBOX_GROUP: self._checkbox_group,
            Kind.CHECKBOX: self._checkbox,
        }

    def read(self, form: Form) -> list[JsonObject]:
        """Return what a form's `components` become."""
        items = form.objects("components", fewest=1, most=MOST_FIELDS, required=True) or []
        return self.read_all(items, ON_TOP)

    def _row(self, form: Form) -> JsonObject:
        inputs = form.objects("components", fewest=1, most=MOST_FIELDS, required=True) or []
        if len(inputs) > 1:
            words = "The specified component exceeds the maximum width"
            form.wrong("components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words)
        return {"components": [self._labelled_input(each) for each in inputs]}

    def _labelled_input(self, form: Form) -> JsonObject:
        body = self._component(form, {Kind.TEXT_INPUT}) or {}
        body["label"] = form.string("label", shortest=1, longest=LONGEST_LABEL, required=True)
        return body

    def _label(self, form: Form) -> JsonObject:
        body: JsonObject = {
            "label": form.string("label", shortest=1, longest=LONGEST_LABEL, required=True)
        }
        description = form.string("description", shortest=1, longest=LONGEST_DESCRIPTION)
        if description:
            body["description"] = description
        inner = form.object("component", required=True)
        if inner is not None:
            body["component"] = self._component(inner, LABELLED)
        return body

    def _input(self, form: Form) -> JsonObject:
        body: JsonObject = {
            "custom_id": self._custom_id(form),
            "style": form.choice("style", of={1, 2}, required=True),
            "required": form.boolean("required") is not False,
        }
        shortest = form.integer("min_length", most=LONGEST_INPUT)
        longest = form.integer("max_length", least=1, most=LONGEST_INPUT)
        if shortest is not None and longest is not None and shortest > longest:
            words = f"int value should be less than or equal to {longest}."
            form.wrong("min_length", "NUMBER_TYPE_MAX", words)
        given = {
            "min_length": shortest,
            "max_length": longest,
            "placeholder": form.string("placeholder", longest=LONGEST_HINT),
            "value": form.string("value", longest=longest or LONGEST_INPUT),
        }
        return body | {key: value for key, value in given.items() if value is not None}

    def _select_in_label(self, form: Form) -> JsonObject:
        if form.boolean("disabled"):
            words = "Components of modals cannot be disabled"
            form.wrong("disabled", "MODAL_COMPONENT_DISABLED", words)
        return self._select(form) | self._required(form)

    def _upload(self, form: Form) -> JsonObject:
        body: JsonObject = {"custom_id": self._custom_id(form)}
        return body | self._span(form, MOST_UPLOADS) | self._required(form)

    def _radio_group(self, form: Form) -> JsonObject:
        body: JsonObject = {"custom_id": self._custom_id(form)}
        body["options"] = self._options(form, body, fewest=2, most=MOST_BOXES)
        return body | self._required(form)

    def _checkbox_group(self, form: Form) -> JsonObject:
        offered = len(as_array(form.fields.get("options")) or ())
        body: JsonObject = {"custom_id": self._custom_id(form)}
        body |= self._span(form, MOST_BOXES, max(1, min(offered, MOST_BOXES)))
        body["options"] = self._options(form, body, most=MOST_BOXES)
        return body | self._required(form)

    def _checkbox(self, form: Form) -> JsonObject:
        return {"custom_id": self._custom_id(form), "default": bool(form.boolean("default"))}

    def _required(self, form: Form) -> JsonObject:
        """Read whether something must be chosen, which nothing chosen cannot satisfy."""
        required = form.boolean("required") is not False
        if required and form.fields.get("min_values") == 0:
            words = "Select menus marked as required cannot have a min_values of 0"
            form.wrong("min_values", "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES", words)
        return {"required": required}
