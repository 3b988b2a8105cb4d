/** What the bot suggests for the option that is being written. */

import { isFile, optionOf } from "./command_line.js";
import { act } from "./connection.js";
import { useEffect, useState } from "./vendor/preact-htm.js";

/** Milliseconds without a key before the bot is asked, so that not every letter asks it. */
const PAUSE_MS = 150;

/** `{items, hint}` for the active option, if it is one for which the bot suggests something. */
export function useSuggestions(line, place) {
  const [found, setFound] = useState({ items: [] });
  const option = line && optionOf(line);
  const asks = Boolean(option?.autocomplete);
  useEffect(() => {
    if (!asks) return undefined;
    let current = true;
    const ask = async () => {
      try {
        const items = await act("complete", { ...place, ...requestOf(line) });
        if (current) setFound({ items, hint: items.length ? "" : "No options match your search." });
      } catch (error) {
        if (current) setFound({ items: [], hint: error.message });
      }
    };
    setFound({ items: [], hint: "Loading options…" });
    const timer = setTimeout(ask, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [asks && line.active, line?.typed]);
  return found;
}

function requestOf(line) {
  const { command, path, options } = line.entry;
  const given = Object.entries(line.given)
    .filter(([name]) => !isFile(options.find((option) => option.name === name)))
    .map(([name, { value }]) => [name, value]);
  return {
    command: command.id,
    path,
    options: { ...Object.fromEntries(given), [line.active]: line.typed },
    focused: line.active,
  };
}
