const light = `
--bg:#fff;--raised:#f6f7f9;--line:#e2e6eb;--text:#171b21;--muted:#5b6573;--hover:#eef1f5;
--accent:#1c63d5;--good:#0f7a55;--busy:#8a5a00;--bad:#c0252d;--quiet:#6b7583;--name:#7440c9;
--shadow:0 0 0 1px #0000000d,0 12px 40px #0b12203d;`;
const dark = `
--bg:#0e1116;--raised:#151a21;--line:#272f3a;--text:#e7eaef;--muted:#93a0b1;--hover:#1c232c;
--accent:#7cb0ff;--good:#43d19a;--busy:#f0b64a;--bad:#ff6b70;--quiet:#8a94a3;--name:#c3a6ff;
--shadow:0 0 0 1px #ffffff14,0 16px 48px #000c;`;

/**
 * The look of the devtools, inside of their shadow root: a page's own styles end at its border. A
 * function, since bundlers keep a text that is put together of others when they leave out the rest.
 */
const styles = (): string => `
:host{all:initial;color-scheme:light;${light}}
:host([data-theme=dark]){color-scheme:dark;${dark}}
@media (prefers-color-scheme:dark){:host(:not([data-theme=light])){color-scheme:dark;${dark}}}
@media print{:host{display:none}}
*,*::before,*::after{box-sizing:border-box}
[hidden]{display:none!important}
.root{position:fixed;z-index:2147483000;font:12px/1.45 ui-sans-serif,system-ui,-apple-system,
"Segoe UI",Roboto,sans-serif;color:var(--text);-webkit-font-smoothing:antialiased}
.root[data-at^=bottom]{bottom:16px}.root[data-at^=top]{top:16px}
.root[data-at$=right]{right:16px}.root[data-at$=left]{left:16px}
button,select,input{font:inherit;color:inherit;margin:0}
button{cursor:pointer;border:0;background:none;padding:0}
:focus{outline:none}
:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:11px}
[data-state]{--state:var(--quiet)}
[data-state=open]{--state:var(--good)}
[data-state=connecting],[data-state=waiting],[data-state=offline]{--state:var(--busy)}
[data-state=failed]{--state:var(--bad)}

.launch{display:flex;align-items:center;gap:8px;height:36px;padding:0 13px 0 11px;
border-radius:18px;background:var(--bg);box-shadow:var(--shadow);font-weight:600}
.launch:hover{background:var(--hover)}
.glyph{width:16px;height:16px;flex:none;color:var(--state)}
.launch .count{min-width:18px;height:18px;padding:0 5px;border-radius:9px;background:var(--bad);
color:var(--bg);font-size:11px;line-height:18px;text-align:center}

.panel{display:grid;grid-template:auto minmax(0,1fr)/minmax(0,1fr);overflow:hidden;
width:min(940px,calc(100vw - 32px));height:min(540px,calc(100vh - 32px));background:var(--bg);
border-radius:12px;box-shadow:var(--shadow);container-type:inline-size}
.head{display:flex;flex-wrap:wrap;align-items:center;gap:8px;padding:8px 8px 8px 14px;
border-bottom:1px solid var(--line);background:var(--raised)}
.head strong{font-weight:650;letter-spacing:-.01em}
.pill{display:inline-flex;align-items:center;gap:6px;height:22px;padding:0 9px;border-radius:11px;
color:var(--state);font-weight:600;background:color-mix(in srgb,var(--state) 13%,transparent)}
.pill::before,.dot{content:"";width:7px;height:7px;border-radius:50%;background:var(--state);
flex:none}
[data-state=connecting].pill::before,[data-state=waiting].pill::before{
animation:pulse 1.1s ease-in-out infinite}
@keyframes pulse{50%{opacity:.25}}
@media (prefers-reduced-motion:reduce){*{animation:none!important}}
.space{flex:1}
.act{height:26px;padding:0 10px;border:1px solid var(--line);border-radius:7px;background:var(--bg);
font-weight:550;white-space:nowrap}
.act:hover{background:var(--hover)}
.act:disabled{opacity:.45;cursor:default}
.act[aria-pressed=true]{color:var(--bg);background:var(--busy);border-color:var(--busy)}
.icon{width:26px;height:26px;border-radius:7px;font-size:16px;line-height:1;color:var(--muted)}
.icon:hover{background:var(--hover);color:var(--text)}
select,input{height:26px;padding:0 8px;border:1px solid var(--line);border-radius:7px;
background:var(--bg);min-width:0}
select{max-width:150px;padding-right:4px}

.body{display:grid;grid-template:minmax(0,1fr)/252px minmax(0,1fr);min-height:0}
.side{overflow:auto;border-right:1px solid var(--line);padding:2px 14px 14px}
.side h2{margin:14px 0 6px;font-size:11px;font-weight:650;color:var(--muted);line-height:1.4}
.facts{display:grid;grid-template-columns:auto minmax(0,1fr);gap:3px 12px;margin:0}
.facts dt{color:var(--muted)}
.facts dd{margin:0;text-align:right;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.spark{display:block;width:100%;height:34px;overflow:visible}
.spark path{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.spark .in{stroke:var(--accent)}.spark .out{stroke:var(--name)}
.legend{display:flex;justify-content:space-between;margin-top:4px;color:var(--muted)}
.legend b{font-weight:600}.legend .in{color:var(--accent)}.legend .out{color:var(--name)}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:6px;margin-top:10px}
.tile{padding:6px 8px;border-radius:8px;background:var(--raised);color:var(--muted)}
.tile b{display:block;font-size:15px;line-height:1.3;font-weight:600;color:var(--text);
font-variant-numeric:tabular-nums}
.tile[data-bad] b{color:var(--bad)}
.channels{list-style:none;margin:0;padding:0}
.channels li{display:grid;grid-template-columns:auto minmax(0,1fr) auto;gap:0 8px;
align-items:center;padding:4px 0}
.channels .where{grid-column:2/4;color:var(--muted)}
.channels .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-weight:550}
.none{color:var(--muted);margin:0}

.main{display:grid;grid-template:auto minmax(0,1fr)/minmax(0,1fr);min-height:0}
.tabs{display:flex;gap:2px;padding:6px 8px 0;border-bottom:1px solid var(--line)}
.tab{padding:5px 10px 7px;color:var(--muted);font-weight:600;border-bottom:2px solid transparent;
border-radius:6px 6px 0 0}
.tab:hover{color:var(--text)}
.tab[aria-selected=true]{color:var(--text);border-color:var(--accent)}
.frames{display:grid;grid-template:auto minmax(0,1fr) auto/minmax(0,1fr);min-height:0}
.bar{display:flex;flex-wrap:wrap;gap:6px;padding:8px;border-bottom:1px solid var(--line)}
.bar input{flex:1 1 110px}
.hold{display:grid;grid-template:minmax(0,1fr)/minmax(0,1fr);min-height:0}
.list{overflow:auto;overscroll-behavior:contain;scrollbar-gutter:stable}
.list:focus-visible{outline-offset:-2px}
.rows{box-sizing:border-box}
.row{display:grid;grid-template-columns:84px 12px 84px minmax(50px,100px) minmax(0,1fr) 52px;
gap:8px;align-items:baseline;padding:2px 10px;height:22px;white-space:nowrap;cursor:default;
border-left:2px solid transparent}
.row>*{overflow:hidden;text-overflow:ellipsis}
.row:hover{background:var(--hover)}
.row[aria-selected=true]{background:color-mix(in srgb,var(--accent) 14%,transparent);
border-color:var(--accent)}
.row .time,.row .text,.row .size{color:var(--muted)}
.row .size{font-variant-numeric:tabular-nums;text-align:right}
.row .way{font-weight:700;color:var(--accent)}
.row[data-way=out] .way{color:var(--name)}
.row .type{font-weight:600}
.row[data-way=here]{background:color-mix(in srgb,var(--state) 9%,transparent)}
.row[data-way=here] .type,.row[data-way=here] .way{color:var(--state)}
.row[data-bad] .type{color:var(--bad)}
.detail{border-top:1px solid var(--line);background:var(--raised);max-height:230px;display:grid;
grid-template:auto minmax(0,1fr)/minmax(0,1fr)}
.detail header{display:flex;align-items:center;gap:8px;padding:6px 8px 2px 12px}
.detail header span{flex:1;min-width:0;color:var(--muted);overflow:hidden;text-overflow:ellipsis;
white-space:nowrap}
pre{margin:0;padding:4px 12px 12px;overflow:auto;tab-size:2;line-height:1.55;
white-space:pre-wrap;overflow-wrap:anywhere}
pre .key{color:var(--accent)}pre .text{color:var(--good)}
pre .value{color:var(--name)}pre .note{color:var(--muted);font-style:italic}
.problems{display:grid;grid-template:auto minmax(0,1fr)/minmax(0,1fr);min-height:0}
.problems ol{list-style:none;margin:0;padding:0;overflow:auto}
.problems li{display:grid;gap:2px;padding:9px 12px;border-bottom:1px solid var(--line)}
.problems .top{display:flex;gap:8px;align-items:baseline}
.problems .code{color:var(--bad);font-weight:650}
.problems .when{margin-left:auto;color:var(--muted)}
.problems .advice{color:var(--muted)}
.empty{display:grid;place-items:center;padding:24px;color:var(--muted);text-align:center}
@container (max-width:660px){
.head{gap:6px;padding-left:10px}
.head strong{display:none}
.act{padding:0 7px}
.body{grid-template:minmax(0,1fr) minmax(0,2fr)/minmax(0,1fr)}
.body:has(.detail:not([hidden])){grid-template:minmax(0,1fr)/minmax(0,1fr)}
.body:has(.detail:not([hidden])) .side{display:none}
.side{border-right:0;border-bottom:1px solid var(--line)}
.row{grid-template-columns:12px 76px minmax(40px,80px) minmax(0,1fr)}
.row .time,.row .size{display:none}
select{max-width:104px}
}
@media (max-width:700px){.panel{height:calc(100vh - 32px)}}
`;

/**
 * Puts the styles into a shadow root: as a sheet of their own, which no Content-Security-Policy
 * forbids, or as an element where there are no such sheets.
 */
export function applyStyles(root: ShadowRoot, nonce: string | undefined): void {
  if ('adoptedStyleSheets' in root && 'replaceSync' in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles());
    root.adoptedStyleSheets = [sheet];
    return;
  }
  const element = document.createElement('style');
  if (nonce !== undefined) element.nonce = nonce;
  element.textContent = styles();
  root.append(element);
}
