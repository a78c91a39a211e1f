"""How the page looks, on a screen, on a telephone and on paper; and its script, which sorts, hints and unfolds."""

STYLE = """
:root{color-scheme:light;--zoom:1}
*{box-sizing:border-box}
body{font:15px/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:68em;margin:1.5em auto;padding:0 1em}
h1{font-size:1.5em;line-height:1.25;margin:0 0 .4em;overflow-wrap:anywhere}h2{font-size:1.2em;margin:2em 0 .5em}
h3{font-size:1em;margin:1.2em 0 .3em}p,li,dd,figcaption,summary{overflow-wrap:anywhere}
.setting{max-width:52em}nav{line-height:2}nav a{margin-right:1em;white-space:nowrap}
.toy{border:2px solid #8a4b00;padding:.3em .7em;display:inline-block;font-weight:600;margin:.2em 0}
figure{margin:0 0 1.5em}figcaption{color:#555;font-size:.9em;max-width:58em;margin-top:.3em}
.drawn svg{display:block;width:100%;height:auto}.panels{display:flex;flex-wrap:wrap;gap:1em}
.wide{overflow-x:auto;max-width:100%}.paper,.narrow,.more{display:none}
.over+.more{display:block;color:#555;font-size:.9em;margin:.2em 0 .6em}
.over:not(.end){-webkit-mask-image:linear-gradient(to left,transparent,#000 3em);
mask-image:linear-gradient(to left,transparent,#000 3em)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9em}
.caption{font-weight:600;font-size:.9em;margin:.8em 0 .3em;max-width:58em}.words{min-width:16em;text-align:left}
td.words{white-space:normal}
th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}
th:first-child{text-align:left}thead th{border-bottom:2px solid #777;cursor:pointer}
.wide th:first-child{position:sticky;left:0;background:#fff}
th[aria-sort=ascending]:after{content:" \\25b2"}th[aria-sort=descending]:after{content:" \\25bc"}
.first{width:100%;font-size:1em}
.first th,.first td{white-space:normal;text-align:left;vertical-align:top;padding:.45em .7em}
.first th:first-child,.first td:first-child{padding-left:0}.first th,.first td{overflow-wrap:break-word}
.first .last{width:30%}.first .sure{min-width:11.5em}.first .cost{white-space:nowrap}
.first .last,.first .cost{font-size:.9em}.strong{font-weight:700}
.pale{color:#6b6b6b}
.ends{white-space:nowrap;font-size:.9em}
.how{font-size:.95em}.reading{font-size:.9em;max-width:76em;color:#444}
.chosen{font-weight:700}.note{color:#555;font-size:.9em}ul{margin:.3em 0;padding-left:1.4em}
details{margin:.4em 0}summary{cursor:pointer}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.3em 0}dt{font-weight:600}dd{margin:0}
pre{background:#f6f6f6;padding:.8em;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85em}
@media screen and (min-width:65em){:root{--zoom:1.42}.across{--zoom:1}}
@media screen and (min-width:75em){.broad{width:max-content;min-width:100%;max-width:calc(50vw + 31em)}}
@media screen and (max-width:52em){
.first,.first tbody,.first tr,.first th,.first td{display:block;width:auto}
.first thead{display:none}.first tr{border:1px solid #bbb;border-radius:.4em;padding:.5em .8em;margin:0 0 .8em}
.first tbody th{font-size:1.1em;border:0;padding:0 0 .2em}
.first td,.first .last,.first .cost{display:grid;grid-template-columns:8em 1fr;gap:.6em;width:auto;
font-size:1em;border:0;padding:.1em 0;overflow-wrap:anywhere}
.first td:before{content:attr(data-of);color:#555;font-weight:400}
}
@media screen and (max-width:45em){html:not(.scripted) .more{display:block}
.narrow{display:block}.has-narrow{display:none}
.narrow .drawn,.panels .drawn{width:100%!important;max-width:30em}
dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .4em}
}
@page{size:A4;margin:12mm}@page across{size:A4 landscape;margin:12mm}
@media print{body{font-size:10pt;max-width:none;margin:0;padding:0}
body{print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav,.screen,.many,.more{display:none!important}.paper{display:block}.across{page:across}
details::details-content{display:block;content-visibility:visible}summary{list-style:none}
.drawn,.first tr,tr,dd{break-inside:avoid}h2,h3,.caption,summary,dt{break-after:avoid}.wide{overflow:visible}
.panels{display:block}.panels .drawn{display:inline-block;vertical-align:top;margin-right:6pt}
table,.first{font-size:7.5pt}th,td{padding:.15em .4em;white-space:normal}
.first .cost,.first .last{font-size:1em}
thead{display:table-header-group}dl{grid-template-columns:9em 1fr}.over{-webkit-mask-image:none!important;
mask-image:none!important}.wide th:first-child{position:static}
dd,li,h1,p{overflow-wrap:anywhere}}
"""
# Without it, as where a viewer runs no scripts, a narrow screen is told of every box that can be pushed.
# Sorts a table by the column whose heading is clicked: by its first number where it has one, else as text.
SCRIPT = """
document.documentElement.classList.add("scripted");
for(const head of document.querySelectorAll("thead th")){head.tabIndex=0;const sort=()=>{
const body=head.closest("table").tBodies[0],at=head.cellIndex,down=head.getAttribute("aria-sort")!="descending";
for(const other of head.parentNode.children)other.removeAttribute("aria-sort");
head.setAttribute("aria-sort",down?"descending":"ascending");
const value=row=>{const text=row.cells[at].textContent,number=parseFloat(text);return isNaN(number)?text:number};
const order=(a,b)=>typeof a==typeof b?(a<b?-1:a>b?1:0):typeof a=="number"?1:-1;
[...body.rows].sort((a,b)=>(down?-1:1)*order(value(a),value(b))).forEach(row=>body.append(row))};
head.onclick=sort;head.onkeydown=event=>{if(event.key=="Enter")sort()}}
const hint=box=>{const more=box.scrollWidth>box.clientWidth+1;box.classList.toggle("over",more);
box.classList.toggle("end",box.scrollLeft+box.clientWidth>box.scrollWidth-2);
if(more)box.tabIndex=0;else box.removeAttribute("tabindex")};
const sizes=new ResizeObserver(seen=>seen.forEach(each=>hint(each.target)));
for(const box of document.querySelectorAll(".wide")){hint(box);sizes.observe(box);
box.addEventListener("scroll",()=>hint(box),{passive:true})}
let unfolded=[];
addEventListener("beforeprint",()=>{unfolded=[...document.querySelectorAll("details:not([open])")];
unfolded.forEach(each=>each.open=true)});
addEventListener("afterprint",()=>unfolded.forEach(each=>each.open=false));
"""
