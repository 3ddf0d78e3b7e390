"""The look of the report: one style sheet, light and dark by what the reader's system prefers. Fetches nothing."""

STYLE = """
:root{--ink:#1c2330;--soft:#5c6676;--line:#e2e6ec;--page:#fff;--card:#f6f8fa;--good:#2e9e6b;--bad:#c8503c;
--series-1:#1f5fbf;--series-2:#d9762b;--series-3:#3a9a78;--series-4:#8d6bb8;--series-5:#7a8594}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--soft:#9aa5b5;--line:#2c3440;--page:#12161c;--card:#1a2029;
--series-1:#6aa2f5;--series-2:#eb9a5c;--series-3:#63c4a0;--series-4:#b497dc;--series-5:#9aa5b5;--good:#4dbd8a;--bad:#e07763}
}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 60px}
h1{font-size:28px;margin:0}
h2{font-size:19px;margin:40px 0 4px}
h3{font-size:16px;margin:30px 0 8px}
h3 i,.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;
margin-right:7px}
h4{margin:0 0 6px;font-size:12px;text-transform:uppercase;letter-spacing:.06em;color:var(--soft)}
p{margin:4px 0;color:var(--soft)}
a{color:var(--series-1)}
small{color:var(--soft);font-weight:400}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:10px;margin-top:22px}
.tile{background:var(--card);border-radius:9px;padding:13px 14px}
.tile b{display:block;font-size:22px;white-space:nowrap}
.tile span,.tile small{display:block;line-height:1.35}
.tile span{font-size:13px}
.tile small{font-size:12px}
.alarm b{color:var(--bad)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:22px;margin-top:12px}
figure{margin:0;max-width:640px}
figcaption{font-size:13px;color:var(--soft);margin-bottom:6px}
svg{width:100%;height:auto;font-size:12px}
svg text:not([fill]){fill:var(--ink)}
.tick{fill:var(--soft)!important;text-anchor:middle;font-size:11px}
.title{fill:var(--soft)!important;text-anchor:middle}
.faint,.value{fill:var(--soft)!important;font-size:11px}
.inside{fill:#fff!important;text-anchor:middle;font-weight:600}
.grid{stroke:var(--line)}
.axis{stroke:var(--soft)}
.mark{stroke:var(--series-2);stroke-dasharray:3 3}
.wide{overflow-x:auto;margin-top:18px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
td,th{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;font-weight:400}
th:first-child{text-align:left}
tr:first-child th{color:var(--soft);font-size:12px}
.main td,.main th{font-weight:650}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;font-size:13px}
.column{flex-direction:column;margin-top:10px}
details{border:1px solid var(--line);border-radius:8px;margin:7px 0;background:var(--card)}
summary{cursor:pointer;padding:9px 14px}
summary small{margin-left:8px}
.card{padding:2px 16px 14px}
ol{margin:4px 0 8px;padding-left:24px}
.true{color:var(--good);font-weight:650}
.given:not(.true){color:var(--bad)}
.true::after{content:" ✓"}
.given::after{content:" ← given";font-weight:400;font-size:12px}
.said{color:var(--ink)}
.said em{color:var(--good);font-style:normal}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:18px;margin-top:8px}
.moment{display:flex;gap:10px;margin:6px 0}
.moment img{width:112px;height:auto;border-radius:5px;align-self:flex-start}
.moment p{margin:0;font-size:13px;color:var(--ink);overflow-wrap:anywhere}
.far{font-size:11px;border:1px solid var(--line);border-radius:9px;padding:0 7px;color:var(--soft)}
.hit{background:var(--good);color:#fff;border-color:transparent}
footer{margin-top:44px;font-size:13px}
"""
