"""The style sheet of all pages: light and dark, for wide and narrow windows, with the fonts of the machine."""

STYLE = """
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#1b2027;--muted:#56606c;--line:#d9dfe6;--bar:#2f6db3;--soft:#85b0de;
--link:#1d5a9e;--warn:#8a4b00;--warn-page:#fff3df}
@media screen and (prefers-color-scheme:dark){:root{--page:#12151a;--card:#1b2027;--text:#e7eaee;--muted:#a3adb9;--line:#303842;
--bar:#6cabee;--soft:#3a6599;--link:#8cc0f5;--warn:#f3c178;--warn-page:#33260f}}
*{box-sizing:border-box}
html{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text)}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
a:focus-visible,nav:focus-visible{outline:2px solid var(--link);outline-offset:1px}
h1,h2,h3,h4,p,dl,figure,ul{margin:0;padding:0}
h1{font-size:1.6rem;line-height:1.25;overflow-wrap:anywhere}
h2{font-size:1.3rem;overflow-wrap:anywhere}
h3,h4{font-size:1rem;overflow-wrap:anywhere}
.group{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;color:var(--muted);margin:1.4rem 0 .6rem}
.group bdi{text-transform:none}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-99rem}
.skip:focus{left:.5rem;top:.5rem;background:var(--card);padding:.4rem .8rem;z-index:2}
nav{position:fixed;inset:0 auto 0 0;width:15rem;overflow-y:auto;background:var(--card);border-right:1px solid var(--line);padding:1.2rem 0}
nav ul{list-style:none}
nav a{display:flex;justify-content:space-between;gap:.6rem;padding:.24rem 1.2rem;color:var(--text)}
nav a bdi{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
nav a:hover{background:var(--page);text-decoration:none}
nav .n{color:var(--muted);font-size:.8rem;font-variant-numeric:tabular-nums;line-height:1.9}
nav .home{font-weight:600;padding-bottom:.6rem}
main{margin-left:15rem;padding:1.8rem 2rem 4rem;max-width:100rem}
section{margin-top:2.6rem;scroll-margin-top:1rem}
.lead,.about{color:var(--muted)}
.about{overflow-wrap:anywhere}
.notice{margin-top:1rem;padding:.6rem .9rem;border-left:3px solid var(--warn);background:var(--warn-page);border-radius:0 4px 4px 0}
.notice.good{border-color:var(--bar);background:var(--card)}
.rows td,.rows th{vertical-align:top;overflow-wrap:normal}
.fit{container-type:inline-size}
.rows td bdi{overflow-wrap:break-word}
.rows .n+*{padding-left:.8rem}
.stack>.card+.card{margin-top:.9rem}
.evidence{margin:.6rem 0 0;padding-left:1.1rem;font-size:.85rem;color:var(--muted);overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin-top:.7rem;font-variant-numeric:tabular-nums}
.facts div{min-width:0}
.facts dt{display:block;font-size:.74rem;color:var(--muted)}
.facts dd{margin:0;font-size:.92rem;overflow-wrap:anywhere}
.digest{font:12.5px/1.7 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere;color:var(--muted);margin-top:.8rem}
.grid-of-cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.9rem}
.wide{grid-template-columns:repeat(auto-fill,minmax(min(30rem,100%),1fr))}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.9rem 1rem 1rem;min-width:0}
.card:target,section:target>h2{outline:2px solid var(--bar);outline-offset:2px}
.card .type{font-weight:400;color:var(--muted);font-size:.85rem}
.badges{display:flex;flex-wrap:wrap;gap:.3rem;margin-top:.35rem;font-size:.74rem}
.badges>*{border:1px solid var(--line);border-radius:99px;padding:0 .55rem;color:var(--muted);overflow-wrap:anywhere}
.badges>a{color:var(--link)}
.badges .warn,.hidden{color:var(--warn);border-color:currentColor}
.hidden{margin-top:.8rem;font-style:italic}
.plot{display:block;width:100%;max-width:26rem;height:auto;margin-top:.8rem;overflow:visible}
.plot rect{fill:var(--bar)}
.plot rect.tail{fill:var(--soft);stroke:var(--bar);stroke-width:.8}
.plot rect.hit{fill:transparent}
.plot g:hover .hit{fill:var(--line)}
.plot text{font-size:10.5px;fill:var(--muted)}
.plot .grid{stroke:var(--line);stroke-dasharray:2 3;fill:none}
.plot .axis{stroke:var(--muted);stroke-width:.8;fill:none}
.bar{display:block;width:100%;height:.55rem;background:var(--page);border-radius:2px}
.bar rect{fill:var(--bar)}
.bar rect.may{fill:var(--soft)}
.broad{max-width:32rem}
.plot rect.may{fill:var(--soft)}
.bar.pair{height:1rem}
.note{font-size:.78rem;color:var(--muted)}
.sides th[scope=row]{min-width:7rem}
.sides tr+tr>*{border-top:1px solid var(--line)}
header .card{margin-top:1rem;max-width:60rem}
section>.card{max-width:60rem}
section>.about{margin:.2rem 0 .5rem}
h2+.grid-of-cards,h2+.card,h2+.stack{margin-top:.6rem}
.caption{font-size:.78rem;color:var(--muted);margin-top:.8rem}
table{border-collapse:collapse;width:100%;margin-top:.4rem;font-size:.88rem;font-variant-numeric:tabular-nums}
th{font-weight:400;text-align:left;overflow-wrap:anywhere}
thead th{font-size:.74rem;color:var(--muted);vertical-align:bottom;overflow-wrap:normal}
th,td{padding:.14rem .5rem .14rem 0;vertical-align:middle}
th:last-child,td:last-child{padding-right:0}
td.n,th.n{text-align:right;white-space:nowrap}
td.b{width:26%;min-width:3rem}
.overview td.b{width:40%}
.states th[scope=row]{min-width:8.5rem}
.overview th[scope=row]{min-width:9rem}
.top td.b{width:22%}
.empty{color:var(--muted);font-style:italic}
.samples{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem;margin-top:.3rem;font-size:.82rem}
.samples li{background:var(--page);border-radius:4px;padding:.05rem .45rem;overflow-wrap:anywhere;min-width:0}
.samples bdi,.top bdi{white-space:pre-wrap}
.key{display:inline-block;width:.7rem;height:.7rem;border-radius:2px;background:var(--bar);vertical-align:-1px}
.key.may{background:var(--soft)}
.up{font-size:.8rem;margin-left:.5rem;font-weight:400}
footer{margin-top:3rem;color:var(--muted);font-size:.85rem}
@media(max-width:60rem){
nav{position:sticky;top:0;inset:auto;width:auto;overflow-x:auto;padding:0;border-right:0;border-bottom:1px solid var(--line);z-index:1}
nav ul{display:flex}
nav li{flex:none}
nav a,nav .home{padding:.65rem .8rem}
nav .n{display:none}
main{margin-left:0;padding:1.1rem .9rem 3rem}
section,.card{scroll-margin-top:3.6rem}
}
@container(max-width:48rem){
.rows thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.rows tr{display:block;padding:.35rem 0}
.rows tr>*,.rows tr+tr>*,.rows .n+*{display:flex;justify-content:space-between;gap:1rem;padding:.1rem 0;border:0;text-align:right}
.rows tr+tr{border-top:1px solid var(--line)}
.rows tr>th{overflow-wrap:anywhere;text-align:left;font-weight:600}
.rows td::before{content:attr(data-name);color:var(--muted);white-space:nowrap}
.rows td bdi{overflow-wrap:anywhere}
.rows td:empty{display:none}
}
@media(max-width:36rem){
.sides td.n{white-space:normal}
.overview .extra{display:none}.overview td.b{width:auto}.states td.b{min-width:2.2rem;width:16%}}
@media print{nav{display:none}main{margin:0}.card{break-inside:avoid}}
"""
