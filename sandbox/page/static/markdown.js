/**
 * Discord's markdown as nodes to draw, never as HTML.
 *
 * Blocks are found line by line. Within them text is read once from left to right: a mark that is
 * not open opens, one that is open closes, so no more are open at a time than there are kinds.
 */

import { Outside } from "./links.js";
import { InlineSpoiler } from "./spoiler.js";
import { Timestamp } from "./times.js";
import { html } from "./vendor/preact-htm.js";
import { channelName, roleName, userName } from "./world.js";

/** A text with markdown; `inline` where headings, lists and quotes are not known, as in titles. */
export function Markdown({ text, inline = false }) {
  return html`<div class="markdown">${inline ? drawInline(text) : drawBlocks(text)}</div>`;
}

const BLOCKS = [
  [/>>> (.*)/sy, ([, text]) => drawQuote(text)],
  [/(?:> .*(?:\n|$))+/y, ([lines]) => drawQuote(lines.replace(/^> /gm, "").replace(/\n$/, ""))],
  [/(#{1,3}) +(\S.*)(?:\n|$)/y, ([, marks, text]) => drawHeading(marks.length, text)],
  [/-# +(\S.*)(?:\n|$)/y, ([, text]) => html`<small>${drawInline(text)}</small>`],
  [
    /(?: *(?:[-*]|\d{1,9}\.) +\S.*(?:\n|$)(?: {2,}(?![-*] |\d+\. |\s).*(?:\n|$))*)+/y,
    ([lines]) => drawList(readItems(lines)),
  ],
];
const UNQUOTED = BLOCKS.slice(2);
const FENCE = /```(?:[\w+.#-]+\n)?(?!\s*```)(.+?)```\n?/sy;

const URL_PART = String.raw`(?:[^\s()[\]<>]|\([^\s()<>]*\))`;
const INLINE = [
  [/(?:[^\\`<@[h*_~|]|h(?!ttps?:))+/y, ([text]) => text],
  [/\\([^\p{L}\p{N}\s])/uy, ([, symbol]) => symbol],
  [/(`+)(.*?[^`])\1(?!`)/sy, ([, , code]) => html`<code>${code.trim() || code}</code>`],
  [/<@!?(\d+)>/y, ([, id]) => drawMention(`@${userName(id)}`)],
  [/<@&(\d+)>/y, ([, id]) => drawMention(`@${roleName(id)}`)],
  [/<#(\d+)>/y, ([, id]) => drawMention(`#${channelName(id)}`)],
  [/<\/([^:>\n]{1,100}):\d+>/y, ([, name]) => drawMention(`/${name}`)],
  [/@(?:everyone|here)\b/y, ([name]) => drawMention(name)],
  [/<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/y, ([, seconds, style]) => drawTime(seconds, style)],
  [/<a?:(\w{1,64}):\d+>/y, ([, name]) => `:${name}:`],
  [
    new RegExp(
      String.raw`\[((?:(?!https?://)[^[\]\n])+)\]\(<?(https?://${URL_PART}+)>?(?: "[^"\n]*")?\)`,
      "y",
    ),
    ([, label, url]) => drawLink(url, drawInline(label)),
  ],
  [/<(https?:\/\/[^\s<>]+)>/y, ([, url]) => drawLink(url, url)],
  [
    new RegExp(String.raw`https?://${URL_PART}*(?:[^\s()[\]<>.,:;"'*_~|]|\([^\s()<>]*\))`, "y"),
    ([url]) => drawLink(url, url),
  ],
];
const MARK = /\*\*?|__?|~~|\|\|/y;
const MARKS = { "**": "strong", "*": "em", __: "u", _: "em", "~~": "s", "||": InlineSpoiler };
const LETTER = /[^\W_]/;
const LITERAL = /`+|./sy;

function drawBlocks(text, rules = BLOCKS) {
  const blocks = [];
  let paragraph = "";
  let position = 0;
  function endParagraph() {
    const inner = paragraph.replace(/\n$/, "");
    if (paragraph) blocks.push(html`<p>${inner ? drawInline(inner) : "\n"}</p>`);
    paragraph = "";
  }
  while (position < text.length) {
    const [match, draw] = firstMatch(rules, text, position);
    if (match) {
      endParagraph();
      blocks.push(draw(match));
      position += match[0].length;
      continue;
    }
    const line = lineAt(text, position);
    const fence = fenceIn(line, text, position);
    if (fence) {
      paragraph += text.slice(position, fence.index);
      endParagraph();
      blocks.push(html`<pre><code>${fence[1].replace(/^\n+|\n+$/g, "")}</code></pre>`);
      position = fence.index + fence[0].length;
    } else {
      paragraph += line;
      position += line.length;
    }
  }
  endParagraph();
  return blocks;
}

function lineAt(text, position) {
  const end = text.indexOf("\n", position);
  return end < 0 ? text.slice(position) : text.slice(position, end + 1);
}

function fenceIn(line, text, position) {
  const start = line.indexOf("```");
  return start < 0 ? null : matchAt(FENCE, text, position + start);
}

/** A message's own heading: within the page they are all of one level, whatever their size. */
function drawHeading(size, text) {
  return html`<h3 class="heading-${size}">${drawInline(text)}</h3>`;
}

function drawQuote(text) {
  return html`<blockquote>${drawBlocks(text, UNQUOTED)}</blockquote>`;
}

function readItems(lines) {
  const items = [];
  for (const line of lines.trimEnd().split("\n")) {
    const match = /^( *)(?:[-*]|(\d+)\.) +(.*)$/.exec(line);
    if (match) items.push({ indent: match[1].length, number: match[2], text: match[3] });
    else items.at(-1).text += `\n${line.trim()}`;
  }
  return items;
}

function drawList(items) {
  const lists = [];
  for (const item of items) {
    const ordered = item.number !== undefined;
    if (item.indent > items[0].indent) lists.at(-1).rows.at(-1).inner.push(item);
    else if (lists.at(-1)?.ordered === ordered) lists.at(-1).rows.push({ ...item, inner: [] });
    else lists.push({ ordered, rows: [{ ...item, inner: [] }] });
  }
  return lists.map(({ ordered, rows }) => {
    const drawn = rows.map(
      ({ text, inner }) => html`<li>${drawInline(text)}${drawList(inner)}</li>`,
    );
    return ordered
      ? html`<ol start=${Number(rows[0].number)}>${drawn}</ol>`
      : html`<ul>${drawn}</ul>`;
  });
}

function drawInline(text) {
  const open = [{ mark: "", children: [] }];
  let position = 0;
  while (position < text.length) {
    const [match, draw] = firstMatch(INLINE, text, position);
    if (match) add(open, draw(match));
    position += match?.[0].length ?? readMark(open, text, position);
  }
  while (open.length > 1) leaveAsWritten(open);
  return open[0].children;
}

/** Open or close at a mark, or take what stands there as it is; returns the length of it. */
function readMark(open, text, position) {
  const mark = markAt(text, position, open.at(-1).mark);
  const before = text[position - 1] ?? " ";
  const after = text[position + (mark?.length ?? 0)] ?? " ";
  const isOpen = open.some((each) => each.mark === mark);
  if (mark && isOpen && mayClose(mark, before, after)) close(open, mark);
  else if (mark && !isOpen && mayOpen(mark, before, after)) open.push({ mark, children: [] });
  else {
    const literal = mark ?? matchAt(LITERAL, text, position)[0];
    add(open, literal);
    return literal.length;
  }
  return mark.length;
}

/** The mark at a place: of three asterisks or underscores the innermost open mark's come first. */
function markAt(text, position, innermost) {
  const mark = matchAt(MARK, text, position)?.[0];
  const single = mark?.[0];
  const three = text[position + 2] === single && text[position + 3] !== single;
  return mark?.length === 2 && innermost === single && three ? single : mark;
}

function mayOpen(mark, before, after) {
  if (mark === "_") return !LETTER.test(before);
  return mark !== "*" || !/\s/.test(after);
}

function mayClose(mark, before, after) {
  if (mark === "_") return !LETTER.test(after);
  return mark !== "*" || !/\s/.test(before);
}

function close(open, mark) {
  while (open.at(-1).mark !== mark) leaveAsWritten(open);
  const { children } = open.pop();
  if (children.length === 0) add(open, mark + mark);
  else add(open, html`<${MARKS[mark]}>${children}<//>`);
}

function leaveAsWritten(open) {
  const { mark, children } = open.pop();
  for (const piece of [mark, ...children]) add(open, piece);
}

function add(open, piece) {
  const { children } = open.at(-1);
  const joined = typeof piece === "string" && typeof children.at(-1) === "string";
  if (joined) children.push(children.pop() + piece);
  else children.push(piece);
}

function firstMatch(rules, text, position) {
  for (const [pattern, draw] of rules) {
    const match = matchAt(pattern, text, position);
    if (match) return [match, draw];
  }
  return [];
}

function matchAt(pattern, text, position) {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function drawMention(name) {
  return html`<span class="mention">${name}</span>`;
}

function drawTime(seconds, style) {
  return html`<${Timestamp} seconds=${Number(seconds)} style=${style} />`;
}

function drawLink(url, label) {
  return html`<${Outside} href=${url}>${label}<//>`;
}
