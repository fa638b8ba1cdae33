// @ts-check
// Puts the view's parameters into the address and the book's name into the tab's title, and decides what of it makes
// an entry in the browser's history. Asks for a run when the theme turns, for the charts' colours come with a run.
//
// On one page a choice (account, model, tab, step) makes an entry and everything else replaces the one it stands on,
// so that Back undoes the last choice. Streamlit has it otherwise: a tab or slider replaces, and a parameter that the
// server takes away makes an entry. Hence its two ways into the history pass through `enter`. Another page is an entry
// of its own as ever, and while Back or Forward is answered nothing is added.

/** @typedef {{ choices: string[], back: boolean, book: string | null, asked: string | null, turned?: MutationObserver }} Shared */
/** @typedef {{ set: Record<string, string>, drop: string[], choices: string[], title: string, book: string | null, theme: string }} Data */

/** @returns {Shared} what the last run said; one for the window, whichever page mounts this */
function shared() {
  const home = /** @type {{ marginLabSeen?: Shared }} */ (/** @type {unknown} */ (window));
  home.marginLabSeen ??= watched({ choices: [], back: false, book: null, asked: null });
  return home.marginLabSeen;
}

/** @param {Shared} now */
function watched(now) {
  const { history } = window;
  const ways = { push: history.pushState.bind(history), replace: history.replaceState.bind(history) };
  /** @param {"push" | "replace"} asked @param {any} state @param {string} title @param {string | URL | null} [to] */
  const enter = (asked, state, title, to) => {
    const here = new URL(window.location.href);
    const next = new URL(to ?? here, here);
    if (next.pathname !== here.pathname) {
      now.choices = []; // those of the page that is left
      ways[asked](state, title, to);
      return;
    }
    const chosen = now.choices.some((key) => here.searchParams.get(key) !== next.searchParams.get(key));
    ways[chosen && !now.back ? "push" : "replace"](state, title, to);
  };
  history.pushState = (state, title, to) => enter("push", state, title, to);
  history.replaceState = (state, title, to) => enter("replace", state, title, to);
  window.addEventListener("popstate", () => {
    now.back = true;
  });
  return now;
}

/**
 * The page turns by itself, with the device or in the menu; its charts stand in the colours of the last run.
 * @param {Shared} now @param {string} drawn "light" or "dark" @param {() => void} again
 */
function follow(now, drawn, again) {
  const app = document.querySelector("[data-testid=stApp]");
  now.turned?.disconnect(); // one watcher a window
  if (!app) return;
  const look = () => {
    const [red] = window.getComputedStyle(app).backgroundColor.match(/\d+/) ?? ["255"];
    const seen = Number(red) > 128 ? "light" : "dark";
    const ask = seen !== drawn && seen !== now.asked; // once: a run that cannot answer is not asked for again
    now.asked = seen === drawn ? null : seen;
    if (ask) again();
  };
  now.turned = new window.MutationObserver(look);
  now.turned.observe(app, { attributes: true, attributeFilter: ["class"] });
  look();
}

/** @param {{ data: Data, setTriggerValue: (name: string, value: any) => void }} component */
export default function ({ data, setTriggerValue }) {
  const now = shared();
  now.choices = data.choices;
  const url = new URL(window.location.href);
  for (const [key, value] of Object.entries(data.set)) url.searchParams.set(key, value);
  for (const key of data.drop) url.searchParams.delete(key);
  if (url.search !== window.location.search) window.history.replaceState(window.history.state, "", url);
  now.back = false;
  now.book = data.book;
  document.title = data.title;
  follow(now, data.theme, () => setTriggerValue("turned", true));
}
