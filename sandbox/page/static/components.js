/** What applications put into messages: a table of the components' types, and how each is drawn. */

import { accented } from "./accents.js";
import { Choices, defaultValues } from "./choices.js";
import { act } from "./connection.js";
import { Dots, Wrong } from "./feedback.js";
import { Outside } from "./links.js";
import { Markdown } from "./markdown.js";
import { File, fromMedia, Gallery, Thumbnail } from "./media.js";
import { Spoiler } from "./spoiler.js";
import { drawn, find } from "./store.js";
import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { emojiText } from "./world.js";

const DRAWN = {
  1: Row,
  2: Button,
  3: Select,
  5: Select,
  6: Select,
  7: Select,
  8: Select,
  9: Section,
  10: ({ component }) => html`<${Markdown} text=${component.content} />`,
  11: ({ component }) =>
    html`<${Thumbnail} item=${fromMedia(component.media, "image", component)} />`,
  12: ({ component: { items } }) =>
    html`<${Gallery} items=${items.map((item) => fromMedia(item.media, "image", item))} />`,
  13: ({ component }) =>
    html`<${File} item=${fromMedia(component.file, "application", component)} />`,
  14: Separator,
  17: Container,
};

/** The components of a message as somebody sees them. */
export function Components({ components, message, person }) {
  return components.map(
    (component, index) =>
      html`<${Component} key=${component.id ?? index} ...${{ component, message, person }} />`,
  );
}

/** One component of whatever type. */
function Component(props) {
  return html`<${DRAWN[props.component.type] ?? NotDrawn} ...${props} />`;
}

/** What stands in place of a component that the page has no drawing of. */
export function NotDrawn({ component }) {
  return html`<div class="not-drawn">Component of type ${component.type}: not drawn here</div>`;
}

function Row({ component: { components }, ...place }) {
  return html`<div class="row"><${Components} components=${components} ...${place} /></div>`;
}

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };
const LINK = 5;
const PREMIUM = 6;

function Button({ component, message, person }) {
  const { pending, error, press } = usePress(message, person, component.custom_id);
  const words = html`
    ${component.emoji && html`<span>${emojiText(component.emoji)}</span>`}
    ${component.label && html`<span>${component.label}</span>`}
  `;
  if (component.style === PREMIUM) {
    return html`
      <button type="button" class="button primary" disabled title=${`Item ${component.sku_id}`}>
        Shop item
      </button>
    `;
  }
  if (component.style === LINK && component.disabled) {
    return html`
      <button type="button" class="button secondary" disabled>${words}<${Arrow} /></button>
    `;
  }
  if (component.style === LINK) {
    return html`
      <${Outside} class="button secondary" href=${component.url}>${words}<${Arrow} /><//>
    `;
  }
  return html`
    <button
      type="button"
      class="button ${STYLES[component.style]} ${pending ? "pending" : ""}"
      disabled=${component.disabled}
      aria-disabled=${pending}
      aria-busy=${pending}
      onClick=${() => !pending && press()}
    >
      ${words}${pending && html`<${Dots} />`}
    </button>
    <${Wrong} error=${error} />
  `;
}

function Select({ component, message, person }) {
  const { pending, error, press } = usePress(message, person, component.custom_id);
  const [values, setValues] = useState(() => defaultValues(component));
  const [tooFew, setTooFew] = useState(false);
  useEffect(() => setValues(defaultValues(component)), [component]);
  const fewest = component.min_values ?? 1;
  function done(chosen) {
    setTooFew(chosen.length < fewest);
    if (chosen.length >= fewest) press(chosen);
  }
  return html`
    <${Choices}
      component=${component}
      channel=${find("channel", message.channel_id)}
      person=${person}
      values=${values}
      onChoose=${setValues}
      onDone=${done}
      disabled=${component.disabled}
      busy=${pending}
    />
    <${Wrong} error=${tooFew ? `Choose at least ${fewest}.` : error} />
  `;
}

function Section({ component: { components, accessory }, ...place }) {
  return html`
    <div class="section">
      <div><${Components} components=${components} ...${place} /></div>
      <div class="accessory">
        ${accessory && html`<${Component} component=${accessory} ...${place} />`}
      </div>
    </div>
  `;
}

function Separator({ component }) {
  const size = component.spacing === 2 ? "large" : "small";
  return component.divider === false
    ? html`<div class="space ${size}" />`
    : html`<hr class="space ${size}" />`;
}

function Container({ component, ...place }) {
  const drawn = html`
    <div class="container" style=${accented(component.accent_color)}>
      <${Components} components=${component.components} ...${place} />
    </div>
  `;
  return component.spoiler ? html`<${Spoiler}>${drawn}<//>` : drawn;
}

function Arrow() {
  return html`
    <svg viewBox="0 0 16 16" width="16" height="16" role="img" aria-label="opens in a new tab">
      <path d="M9 2h5v5M14 2 7 9M6 3H3v10h10v-3" fill="none" stroke="currentColor" />
    </svg>
  `;
}

/** What using a component does: `press(values)`, whether that is unanswered, and what was wrong. */
function usePress(message, person, custom_id) {
  const [waiting, setWaiting] = useState(false);
  const [error, setError] = useState(null);
  const unanswered = message.interactions?.some(
    (each) => each.custom_id === custom_id && each.state === "sent",
  );
  async function press(values) {
    setWaiting(true);
    setError(null);
    try {
      await act("press", { message: message.id, member: person, custom_id, values });
    } catch (problem) {
      setError(problem.message);
    }
    // Not before the interaction is drawn as unanswered, or it could be sent twice.
    await drawn();
    setWaiting(false);
  }
  return { pending: waiting || unanswered, error, press };
}
