"""A sentence in every script that the catalogue has, and examples of every kind made of them."""

from collections.abc import Sequence
from typing import Any

from stilts.robustness.segments import script_of
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.multi_label import MultiLabelExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.retrieval import MiningExample, PairExample, QueryExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample

SENTENCES = {
    "am": "አማርኛ የኢትዮጵያ የሥራ ቋንቋ ነው።",
    "ar": "أقام الكاتب في القاهرة سنوات طويلة، وأحب أهلها كثيرا.",
    "bn": "বাংলা ভাষা দক্ষিণ এশিয়ার একটি প্রধান ভাষা।",
    "de": "Größere Häuser stehen über den grünen Hügeln, und Bäche fließen.",
    "el": "Η γρήγορη αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "en": "The quick brown fox jumps over the lazy dog, and sleeps there.",
    "fa": "این یک جمله کوتاه درباره شهر بزرگ تهران است.",
    "gu": "ગુજરાતી ભારતના ગુજરાત રાજ્યની ભાષા છે.",
    "he": "השועל החום המהיר קופץ מעל הכלב העצלן.",
    "hi": "यह हमारे नगर के बारे में एक छोटा वाक्य है।",
    "ja": "東京は日本の首都であり、カタカナもあります。",
    "ka": "საქართველო ლამაზი და ძველი ქვეყანაა.",
    "kk": "Қазақстан Орталық Азиядағы үлкен мемлекет.",
    "ko": "한국어 문장은 이렇게 생겼습니다 그리고 짧습니다.",
    "ml": "മലയാളം കേരളത്തിലെ പ്രധാന ഭാഷ ആകുന്നു.",
    "my": "မြန်မာစာသည် လှပသော စာဖြစ်သည်။",
    "pa": "ਪੰਜਾਬੀ ਪੰਜਾਬ ਦੀ ਭਾਸ਼ਾ ਹੈ।",
    "ru": "Быстрая лиса прыгает через большую ленивую собаку.",
    "ta": "தமிழ் ஒரு பழமையான செம்மொழி ஆகும்.",
    "te": "తెలుగు భారతదేశంలో ఒక ప్రధాన భాష.",
    "th": "ประเทศไทยเป็นประเทศที่สวยงามมาก",
    "tr": "İstanbul Türkiye'nin en kalabalık şehridir ve güzeldir.",
    "ur": "یہ ہمارے شہر کے بارے میں ایک چھوٹا جملہ ہے۔",
    "vi": "Hà Nội là thủ đô của nước Việt Nam.",
    "zh": "我们今天在北京大学学习中文和历史。",
}


def examples(language: str) -> list[Any]:
    """One example of every kind whose texts may be altered, in a language."""
    text = SENTENCES[language]
    words = tuple(text.split())
    tags = tuple("B-LOC" if n % 4 == 1 else "I-LOC" if n % 4 == 2 else "O" for n in range(len(words)))
    half = text[len(text) // 3 : len(text) // 2].strip()
    start = text.index(half)
    overlapping = (text[start : start + len(half) + 2].strip(), start)
    return [
        ClassificationExample(item="one", text=text, text_pair=text[::2] + text, label="yes"),
        MultiLabelExample(item="set", text=text, labels=("a",)),
        TaggingExample(item="tags", words=words, tags=tags),
        SpanExample(item="span", question=text, context=text, answers=((half, start), overlapping)),
        ChoiceExample(item="choice", context=text, question="?", choices=(text, text + text), label=1),
        ChoiceExample(item="asked", context="", question=text, choices=(text, text + text), label=1),
        PairExample(item="pair", query="English", candidate=text),
        QueryExample(item="query", query=text, key="k"),
        MiningExample(item="mine", sources=(("a", text),), targets=(("b", "English"),), pairs=(("a", "b"),)),
    ]


def scripts(texts: Sequence[str]) -> set[str]:
    """The scripts of some texts; Han and kana are one where both may stand."""
    return {script_of(char) for text in texts for char in text} - {""}
