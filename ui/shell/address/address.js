// @ts-check
// Puts the view's parameters into the address without a history entry, and the book's name into the tab's title.

/** @param {{ data: { set: Record<string, string>, drop: string[], title: string } }} component */
export default function ({ data }) {
  const url = new URL(window.location.href);
  for (const [key, value] of Object.entries(data.set)) url.searchParams.set(key, value);
  for (const key of data.drop) url.searchParams.delete(key);
  if (url.search !== window.location.search) window.history.replaceState(window.history.state, "", url);
  document.title = data.title;
}
