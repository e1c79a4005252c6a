/** The style of the page at `/docs`. Its hash is in the page's policy. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfbfa, #131416);
  --panel: light-dark(#ffffff, #1b1d20);
  --line: light-dark(#e3e3df, #2d3035);
  --ink: light-dark(#1c1e21, #e8e8e6);
  --soft: light-dark(#5c6066, #a2a7ae);
  --accent: light-dark(#0b6a58, #6fd3bb);
  --get: light-dark(#0b5c9e, #82bdf2);
  --post: light-dark(#0b6a58, #6fd3bb);
  --bad: light-dark(#a33a12, #f0a17e);
  --code: light-dark(#f1f1ee, #24272b);
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--panel); padding: 0.5rem 1rem; z-index: 1; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
p code, td code, dd code { background: var(--code); padding: 0.1em 0.35em; border-radius: 4px; }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1.25rem 6rem; }
h1 { font-size: 2.25rem; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 0.5rem; }
h1 span, .brand span { color: var(--soft); font-weight: 400; }
.lead { font-size: 1.125rem; }
header p { max-width: 42rem; }
header p:not(.lead) { color: var(--soft); }
h2 { font-size: 1.5rem; letter-spacing: -0.01em; margin: 3.5rem 0 0.25rem; }
h2 + p { margin-top: 0; color: var(--soft); }
article { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.5rem 1.5rem; margin: 1.25rem 0; }
article:target { border-color: var(--accent); }
h3 { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.3rem 0.6rem; margin: 0; font-size: 1.0625rem; line-height: 1.5; }
h3 code { overflow-wrap: anywhere; min-width: 0; }
.method, nav li span { font: 600 0.75rem/1 var(--mono); letter-spacing: 0.02em; }
.get { color: var(--get); }
.post { color: var(--post); }
.old { font-size: 0.8125rem; font-weight: 400; color: var(--soft); }
.summary { margin: 0.5rem 0 0; }
.credential { margin: 0.25rem 0 0; color: var(--soft); font-size: 0.9375rem; }
h4 { font-size: 0.8125rem; font-weight: 600; color: var(--soft); margin: 1.5rem 0 0.4rem; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; line-height: 1.5; }
thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
tbody th, td { text-align: left; vertical-align: top; padding: 0.5rem 1rem 0.5rem 0; border-top: 1px solid var(--line); font-weight: 400; }
td:last-child { padding-right: 0; color: var(--soft); }
tbody th { width: 30%; overflow-wrap: anywhere; }
tbody th code { font-weight: 600; }
tbody th b, tbody th i { display: block; font-weight: 400; font-style: normal; font-size: 0.8125rem; color: var(--bad); }
tbody th i { color: var(--soft); }
td:nth-of-type(1) { width: 28%; overflow-wrap: anywhere; }
small { display: block; color: var(--soft); font-size: 0.8125rem; overflow-wrap: anywhere; }
.statuses { margin: 0.75rem 0 0; font-size: 0.9375rem; }
.statuses div { display: flex; gap: 0.75rem; }
.statuses dt { flex: 0 0 2.5rem; font: 600 0.875rem/1.7 var(--mono); color: var(--bad); }
.statuses dd { margin: 0; color: var(--soft); }
.form { font-family: var(--mono); font-size: 0.75rem; }
.plain { margin: 0.4rem 0 0; color: var(--soft); font-size: 0.9375rem; }
pre { margin: 0; padding: 0.875rem 1rem; background: var(--code); border-radius: 8px; overflow-x: auto; line-height: 1.55; }
nav { padding: 1.25rem 1.25rem 0; }
.brand { font-weight: 650; margin: 0 0 0.75rem; }
.brand a { color: inherit; text-decoration: none; }
nav .area { display: inline-block; margin: 0 1rem 0.25rem 0; font-size: 0.875rem; font-weight: 600; }
nav .area a { display: inline-block; padding: 0.3rem 0; }
nav ul { display: none; list-style: none; margin: 0 0 0.75rem; padding: 0; font-size: 0.8125rem; }
nav li a { display: flex; gap: 0.5rem; align-items: baseline; padding: 0.2rem 0; color: var(--soft); text-decoration: none; font-family: var(--mono); overflow-wrap: anywhere; }
nav li a:hover { color: var(--ink); }
nav li span { flex: 0 0 2.4rem; font-size: 0.6875rem; }
@media (min-width: 68rem) {
  body { display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-right: 1px solid var(--line); padding: 1.75rem 1.25rem; }
  nav .area { display: block; margin: 0; }
  nav .area a { color: inherit; text-decoration: none; }
  nav ul { display: block; }
  main { padding: 2.5rem 3rem 6rem; width: 100%; }
}
@media (max-width: 40rem) {
  h1 { font-size: 1.875rem; }
  article { padding: 1rem 1rem 1.25rem; margin-inline: -0.25rem; }
  table, tbody, tr, tbody th, td { display: block; width: auto !important; }
  tr { border-top: 1px solid var(--line); padding: 0.6rem 0; }
  tbody th, td { border: 0; padding: 0; }
  tbody th b, tbody th i { display: inline; margin-left: 0.4rem; }
  small { display: inline; }
  small:not(:empty)::before { content: " · "; }
}
`;
