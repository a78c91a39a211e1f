"""How far each language is from English in URIEL's features. Read by ``languages.py``.

Source: URIEL (Littell et al. 2017, ACL anthology E17-2002), as bundled with urielplus 1.3.2 (Khan et al. 2025), its
original typological layers (WALS, SSWL, Ethnologue, PHOIBLE). Made by ``benchmarks/typology.py``, which says how to run
it; nobody needs urielplus to use these figures.

Licence: unlike the rest of the package, the figures of this file are derived from URIEL and stand under CC BY-SA 4.0
(https://creativecommons.org/licenses/by-sa/4.0/), with attribution to the authors above.

Columns: code, then syntactic, phonological and inventory distance, each with the number of features that it rests on.
Distances run from 0 (English) to 1. ``-`` stands where fewer than 20 features are known for both languages.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS = ("syntactic", "phonological", "inventory")

_LINES = """
af  0.421/37      -/0   0.514/158
am  0.572/80  0.405/24  0.492/158
ar  0.531/98  0.458/25  0.462/158
as  0.738/55      -/0   0.464/158
ay  0.583/67  0.612/24  0.598/158
az  0.649/55  0.343/24  0.549/158
bbj 0.493/27      -/0   0.417/158
be  0.573/33      -/0       -/0
bg  0.403/86  0.205/22  0.521/158
bm  0.570/52  0.390/24  0.503/158
bn  0.594/52  0.361/22  0.498/158
br  0.521/68  0.287/22  0.443/158
bs  0.493/66      -/2   0.509/158
bzd 0.624/54  0.436/22  0.546/158
ca  0.344/56  0.205/22  0.458/158
cni 0.587/53  0.564/22  0.598/158
cs  0.604/73      -/0   0.537/158
cy  0.497/81      -/0       -/0
da  0.368/74      -/0       -/0
de  0.358/87  0.369/25  0.436/158
ee  0.585/73  0.369/24  0.525/158
el  0.477/86  0.195/25  0.552/158
en  0.000/103 0.000/25  0.000/158
eo  0.465/26      -/1       -/0
es  0.394/101 0.280/25  0.548/158
et  0.436/80      -/0       -/0
eu  0.574/85  0.350/25  0.621/158
fa  0.695/85  0.390/25  0.481/158
fi  0.505/98  0.274/25  0.469/158
fon 0.558/58      -/0   0.492/158
fr  0.420/97  0.458/25  0.475/158
fy  0.371/31      -/0       -/0
ga  0.535/76      -/3   0.519/158
gd  0.478/75      -/0       -/0
gl  0.486/33      -/0   0.500/158
gn  0.640/75  0.464/25  0.522/158
gu  0.546/48      -/2   0.475/158
ha  0.415/94  0.427/25  0.534/158
hch 0.730/47      -/2   0.535/158
he  0.477/87      -/3   0.555/158
hi  0.551/82  0.343/25  0.468/158
hr  0.493/66      -/2   0.509/158
ht  0.482/37      -/0       -/0
hu  0.577/91  0.343/25  0.458/158
hy  0.602/77  0.506/24  0.506/158
id  0.499/100 0.274/25  0.455/158
ig  0.468/63  0.427/25  0.477/158
is  0.403/75      -/0   0.469/158
it  0.415/77      -/0   0.506/158
ja  0.629/90  0.535/25  0.547/158
jv      -/17  0.465/21  0.444/158
ka  0.578/86  0.510/25  0.567/158
kk      -/12      -/2       -/0
km  0.575/75  0.521/25  0.510/158
kn  0.595/81  0.350/25  0.474/158
ko  0.587/88  0.464/25  0.487/158
ku  0.670/71  0.369/24  0.499/158
ky  0.632/44  0.369/24  0.550/158
la  0.512/33      -/0       -/0
lg  0.720/65      -/0   0.493/158
lo  0.509/72      -/0   0.522/158
lt  0.630/74  0.295/21  0.469/158
luo 0.545/78  0.361/22  0.397/158
lv  0.535/79  0.343/25      -/0
mg  0.619/94  0.274/25  0.509/158
mk  0.301/42      -/0   0.506/158
ml  0.684/51      -/0   0.508/158
mn  0.655/89  0.205/24  0.511/158
mos 0.607/61      -/3   0.478/158
mr  0.637/66      -/0   0.451/158
ms  0.481/101 0.274/25  0.495/158
mt      -/6       -/2   0.521/158
my  0.700/83  0.257/25  0.332/158
nah     -/0       -/0       -/0
ne  0.593/69  0.312/21  0.501/158
nl  0.362/71      -/0   0.486/158
no  0.369/68  0.410/22  0.477/158
ny  0.641/73      -/0       -/0
om  0.706/73  0.427/25  0.492/158
or  0.618/50      -/0   0.474/158
oto 0.653/77  0.328/25  0.423/158
pa  0.612/79      -/0   0.434/158
pcm     -/0       -/0   0.466/158
pl  0.516/74  0.205/22  0.547/158
ps  0.619/75  0.390/24  0.561/158
pt  0.382/77      -/0   0.423/158
qu  0.633/82  0.448/24  0.582/158
ro  0.448/74  0.216/21  0.500/158
ru  0.453/90  0.280/25  0.559/158
rw  0.635/53      -/0   0.518/158
sa      -/18      -/1   0.555/158
sd      -/0   0.303/21  0.494/158
shp 0.638/75  0.588/24  0.601/158
si  0.596/32  0.312/21  0.499/158
sk      -/0       -/0       -/0
sl  0.416/60      -/0   0.455/158
sn  0.688/54      -/0   0.535/158
so  0.586/86  0.510/24  0.465/158
sq  0.460/75  0.274/24  0.484/158
sr  0.493/66      -/2   0.509/158
su  0.505/69      -/0   0.529/158
sv  0.286/80      -/0   0.524/158
sw  0.693/85  0.274/25  0.484/158
ta  0.659/70      -/0   0.501/158
tar 0.551/42      -/2       -/0
te  0.673/61  0.295/22  0.452/158
th  0.532/98  0.390/25  0.415/158
tl  0.616/74  0.343/25  0.461/158
tn      -/1       -/0       -/0
tr  0.685/89  0.343/25  0.518/158
tw  0.704/75  0.491/22  0.497/158
ug  0.666/58      -/4       -/0
uk  0.441/77      -/0   0.466/158
ur  0.591/63      -/0   0.492/158
uz  0.679/69      -/2   0.549/158
vi  0.521/93  0.427/25  0.455/158
wo  0.382/81  0.295/23  0.473/158
xh  0.682/59      -/0   0.503/158
yi  0.320/29      -/0   0.532/158
yo  0.590/91  0.535/25  0.509/158
zh  0.514/102 0.390/25  0.593/158
zu  0.687/87  0.505/23  0.558/158
"""


def distances_from_english() -> Mapping[str, tuple[float | None, ...]]:
    """Language code -> distances in the order of ``KINDS``, None where too little is known."""
    lines = [line.split() for line in _LINES.replace("-/", "nan/").strip().splitlines()]
    return {code: tuple(_distance(figure) for figure in figures) for code, *figures in lines}


def _distance(figure: str) -> float | None:
    value = figure.partition("/")[0]
    return None if value == "nan" else float(value)
