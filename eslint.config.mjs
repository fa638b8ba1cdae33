// What the scripts of ui/ are held to; tests/ui/test_scripts.py runs it where Node is at hand.
const browser = ["clearTimeout", "document", "Element", "HTMLButtonElement", "HTMLElement", "performance", "setTimeout", "URL", "window"];

export default [
  {
    files: ["ui/**/*.js"],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: Object.fromEntries(browser.map((name) => [name, "readonly"])),
    },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
