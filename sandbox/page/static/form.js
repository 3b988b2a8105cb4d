/** A form that an application asks somebody to fill in: Discord's modal. */

import { Choices, defaultValues } from "./choices.js";
import { NotDrawn } from "./components.js";
import { act, upload } from "./connection.js";
import { Wrong } from "./feedback.js";
import { openPicker, registerTarget } from "./files.js";
import { useId } from "./ids.js";
import { Markdown } from "./markdown.js";
import { sayBytes } from "./media.js";
import { find, list } from "./store.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";

const ROW = 1;
const TEXT_INPUT = 4;
const TEXT_DISPLAY = 10;
const LABEL = 18;
const FILE_UPLOAD = 19;
const RADIO_GROUP = 21;
const CHECKBOX_GROUP = 22;
const CHECKBOX = 23;
const SELECTS = [3, 5, 6, 7, 8];
const SEVERAL = new Set([FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP]);
const PARAGRAPH = 2;

const FIELDS = {
  ...Object.fromEntries(SELECTS.map((type) => [type, SelectField])),
  [TEXT_INPUT]: TextField,
  [FILE_UPLOAD]: FileField,
  [RADIO_GROUP]: RadioField,
  [CHECKBOX_GROUP]: CheckboxesField,
  [CHECKBOX]: CheckboxField,
};

/** A form as `person` fills it in; it goes when its record goes. */
export function Form({ form, person }) {
  const { title, components } = form.data;
  const dialog = useRef();
  const heading = useId();
  const fields = components.flatMap(fieldsOf);
  const [values, setValues] = useState(() => byCustomId(fields, initialValue));
  const [wrong, setWrong] = useState({});
  const [error, setError] = useState(null);
  const [sending, setSending] = useState(false);
  const sent = list("interaction").find((each) => each.form === form.id);
  const pending = sending || sent?.state === "sent";
  const unanswered = sent?.state === "failed" ? "Something went wrong. Try again." : null;

  useLayoutEffect(() => {
    const shown = dialog.current;
    shown.showModal();
    shown.querySelector(".form-body :is(input, textarea, button)")?.focus();
    // Closing gives the focus back to where it was.
    return () => shown.close();
  }, []);

  function change(custom_id, value) {
    setValues((now) => ({ ...now, [custom_id]: value }));
    setWrong((now) => ({ ...now, [custom_id]: undefined }));
  }

  function cancel(event) {
    event.preventDefault();
    act("close", { form: form.id, member: person }).catch((problem) => setError(problem.message));
  }

  // Chromium lets a second Esc close a dialog whatever is made of its event, so none gets there.
  function leave(event) {
    if (event.key === "Escape") cancel(event);
  }

  async function submit(event) {
    event.preventDefault();
    if (pending) return;
    const problems = byCustomId(fields, (field) => check(field, values[field.custom_id]));
    setWrong(problems);
    const first = fields.find((field) => problems[field.custom_id]);
    if (first) {
      dialog.current.querySelector(`[name="${CSS.escape(first.custom_id)}"]`)?.focus();
      return;
    }
    setSending(true);
    setError(null);
    try {
      await act("submit", {
        form: form.id,
        member: person,
        values: await readValues(fields, values),
      });
    } catch (problem) {
      setError(problem.message);
    }
    setSending(false);
  }

  const inside = { form, person, values, wrong, change };
  return html`
    <dialog
      class="form"
      ref=${dialog}
      aria-labelledby=${heading}
      onCancel=${cancel}
      onKeyDown=${leave}
    >
      <form novalidate onSubmit=${submit}>
        <h2 id=${heading}>${title}</h2>
        <div class="form-body">
          <p class="form-note">
            This form will be submitted to ${find("setup", "setup")?.application}. Do not share
            passwords or other sensitive information.
          </p>
          ${components.map((component) => html`<${Part} component=${component} ...${inside} />`)}
        </div>
        <footer>
          <${Wrong} error=${error ?? unanswered} />
          <button type="button" class="button secondary" onClick=${cancel}>Cancel</button>
          <button type="submit" class="button primary" disabled=${pending}>Submit</button>
        </footer>
      </form>
    </dialog>
  `;
}

function byCustomId(fields, make) {
  return Object.fromEntries(fields.map((field) => [field.custom_id, make(field)]));
}

/** The fields in a form's part: a label has one, an old action row may have some. */
function fieldsOf(component) {
  const held = component.type === LABEL ? [component.component] : (component.components ?? []);
  return held.filter(({ type }) => type in FIELDS);
}

function Part({ component, ...rest }) {
  if (component.type === TEXT_DISPLAY) return html`<${Markdown} text=${component.content} />`;
  if (component.type === LABEL) {
    const { label, description, component: field } = component;
    return html`<${Labelled} ...${{ label, description, field, ...rest }} />`;
  }
  if (component.type !== ROW) return html`<${NotDrawn} component=${component} />`;
  return component.components.map(
    (field) => html`<${Labelled} label=${field.label} field=${field} ...${rest} />`,
  );
}

/** A field with its label, what is said about it, and what is wrong with it. */
function Labelled({ label, description, field, form, person, values, wrong, change }) {
  const id = useId();
  const Field = FIELDS[field.type];
  if (!Field) return html`<${NotDrawn} component=${field} />`;
  const error = wrong[field.custom_id];
  const described = [description && `${id}-description`, error && `${id}-error`];
  const Box = SEVERAL.has(field.type) ? "fieldset" : "div";
  const mark = isRequired(field) && html`<span class="required" aria-hidden="true"> *</span>`;
  return html`
    <${Box} class="field">
      ${
        SEVERAL.has(field.type)
          ? html`<legend class="field-label">${label}${mark}</legend>`
          : html`<label class="field-label" for=${id}>${label}${mark}</label>`
      }
      ${
        description &&
        html`<div class="field-description" id=${`${id}-description`}>${description}</div>`
      }
      <${Field}
        ...${{ field, label, form, person, id }}
        value=${values[field.custom_id]}
        onChange=${(value) => change(field.custom_id, value)}
        described=${described.filter(Boolean).join(" ") || undefined}
        invalid=${Boolean(error)}
      />
      <${Wrong} id=${`${id}-error`} error=${error} />
    <//>
  `;
}

function TextField({ id, field, label, value, onChange, described, invalid }) {
  const long = field.style === PARAGRAPH;
  return html`
    <div class="text-field">
      <${long ? "textarea" : "input"}
        id=${id}
        name=${field.custom_id}
        rows=${long ? 4 : undefined}
        type=${long ? undefined : "text"}
        aria-label=${label}
        aria-required=${isRequired(field)}
        aria-invalid=${invalid}
        aria-describedby=${described}
        placeholder=${field.placeholder}
        maxlength=${field.max_length ?? 4000}
        autocomplete="off"
        value=${value}
        onInput=${(event) => onChange(event.target.value)}
      />
      ${field.max_length && html`<span class="counter">${value.length}/${field.max_length}</span>`}
    </div>
  `;
}

function SelectField({ id, field, label, form, person, value, onChange, described, invalid }) {
  return html`
    <${Choices}
      component=${field}
      channel=${find("channel", form.channel)}
      person=${person}
      id=${id}
      name=${field.custom_id}
      label=${label}
      values=${value}
      onChoose=${onChange}
      disabled=${field.disabled}
      describedBy=${described}
      invalid=${invalid}
    />
  `;
}

function RadioField({ field, value, onChange, described }) {
  return field.options.map(
    (option) => html`
      <${Option}
        key=${option.value}
        type="radio"
        name=${field.custom_id}
        ...${option}
        checked=${value === option.value}
        described=${described}
        onChange=${() => onChange(option.value)}
      />
    `,
  );
}

function CheckboxesField({ field, value, onChange, described }) {
  const full = value.length >= (field.max_values ?? field.options.length);
  return field.options.map((option) => {
    const checked = value.includes(option.value);
    const others = value.filter((each) => each !== option.value);
    return html`
      <${Option}
        key=${option.value}
        type="checkbox"
        name=${field.custom_id}
        ...${option}
        checked=${checked}
        disabled=${full && !checked}
        described=${described}
        onChange=${() => onChange(checked ? others : [...others, option.value])}
      />
    `;
  });
}

function CheckboxField({ id, field, label, value, onChange, described }) {
  return html`
    <input
      id=${id}
      type="checkbox"
      name=${field.custom_id}
      aria-label=${label}
      aria-describedby=${described}
      checked=${value}
      onChange=${(event) => onChange(event.target.checked)}
    />
  `;
}

function Option({ type, name, label, description, checked, disabled, described, onChange }) {
  return html`
    <label class="option">
      <input ...${{ type, name, checked, disabled, onChange }} aria-describedby=${described} />
      <span>
        ${label}${description && html`<span class="field-description">${description}</span>`}
      </span>
    </label>
  `;
}

function FileField({ field, label, value, onChange, described }) {
  const most = field.max_values ?? 1;
  const target = useRef({ inForm: true });
  target.current.take = (files) => onChange([...value, ...files].slice(0, most));
  useEffect(() => registerTarget(target.current), []);
  const remove = (file) => onChange(value.filter((each) => each !== file));
  function drop(event) {
    event.preventDefault();
    event.stopPropagation();
    target.current.take(event.dataTransfer.files);
  }
  return html`
    <div class="files" onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
      <ul>
        ${value.map(
          (file) => html`
            <li key=${file}>
              <span class="file-name">${file.name}</span>
              <span class="file-size">${sayBytes(file.size)}</span>
              <button
                type="button"
                aria-label=${`Remove ${file.name}`}
                onClick=${() => remove(file)}
              >
                ×
              </button>
            </li>
          `,
        )}
      </ul>
      <button
        type="button"
        class="button secondary"
        name=${field.custom_id}
        aria-label=${`${label}: choose files`}
        aria-describedby=${described}
        disabled=${value.length >= most}
        onClick=${() => openPicker(target.current)}
      >
        ${most > 1 ? `Choose up to ${most} files` : "Choose a file"}
      </button>
      <span class="field-description">or drop here</span>
    </div>
  `;
}

function isRequired(field) {
  return field.type !== CHECKBOX && field.min_values !== 0 && (field.required ?? true);
}

function initialValue(field) {
  if (field.type === TEXT_INPUT) return field.value ?? "";
  if (field.type === CHECKBOX) return Boolean(field.default);
  if (field.type === FILE_UPLOAD) return [];
  if (SELECTS.includes(field.type)) return defaultValues(field);
  const chosen = field.options.filter((option) => option.default).map(({ value }) => value);
  return field.type === RADIO_GROUP ? (chosen[0] ?? null) : chosen;
}

/** What is wrong with what a field holds, in a sentence. */
function check(field, value) {
  const empty = value === null || value.length === 0;
  if (empty && isRequired(field)) return "This field is required.";
  if (empty) return undefined;
  if (field.type === TEXT_INPUT && value.length < (field.min_length ?? 0))
    return `Must be ${field.min_length} or more in length.`;
  if (Array.isArray(value) && value.length < (field.min_values ?? 1))
    return `Choose at least ${field.min_values}.`;
  return undefined;
}

/** The values as they are sent: of files what stands for them once they are uploaded. */
async function readValues(fields, values) {
  const read = {};
  for (const { custom_id, type } of fields) {
    const value = values[custom_id];
    read[custom_id] = type === FILE_UPLOAD ? await Promise.all(value.map(upload)) : value;
  }
  return read;
}
