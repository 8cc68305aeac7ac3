"""Names of people in Chinese, Japanese and Korean texts, by rules alone."""

from __future__ import annotations

import pytest

from masking.text import dictionary
from masking.text.east_asian import EastAsianNames
from masking.text.finder import open_words
from masking.text.found import Found
from masking.text.words import Reader

WORDS = dictionary.load()
READER, NAMES = Reader(WORDS), EastAsianNames(WORDS)


def found(text: str) -> set[str]:
    return {text[f.start : f.end] for f in NAMES.find(READER.read(text))}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("昨日、佐藤健一様から電話がありました。", "佐藤健一"),
        ("お客様の高橋美咲様より返金の依頼。", "高橋美咲"),
        ("配達は加藤 誠様宛てでお願いします。", "加藤 誠"),
        ("田中さんに折り返し連絡してください。", "田中"),
        ("先日、森様が来店した。", "森"),
        ("担当は鈴木花子です。", "鈴木花子"),
        ("患者:伊藤翔太、来院。", "伊藤翔太"),
        ("今日は中島 洋介が来店して契約を変更した。", "中島 洋介"),
        ("昨日三浦　浩から連絡があった", "三浦　浩"),
        ("山本 エミより返金依頼", "山本 エミ"),
        ("请联系李娜女士确认地址。", "李娜"),
        ("欧阳修文先生已付款。", "欧阳修文"),
        ("已与赵强经理沟通。", "赵强"),
        ("王老师明天请假。", "王"),
        ("联系人:周杰", "周杰"),
        ("林志玲小姐的訂單已取消。", "林志玲"),
        ("고객 박지훈 씨와 통화함.", "박지훈"),
        ("남궁민수님 예약 확인", "남궁민수"),
        ("어제 한지민이 계약서를 보냈다.", "한지민"),
        ("환자 윤서연 내원", "윤서연"),
    ],
)
def test_names_are_found(text: str, name: str) -> None:
    assert name in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "皆様、お客様、奥さん、王様、同様の仕様と模様、何様。",
        "幾何学模様の商品が破損していたため返金しました。",
        "先生,您好,请问需要什么帮助?",
        "高级经理和高中老师,历史老师,安装师傅明天到。",
        "患者高血压,客户要求退款,于今日完成付款。",
        "고객님과 선생님, 부모님, 사장님께 문의하세요.",
        "위대한 강아지가 왔고, 배송이 최대한 빨리 되었습니다.",
        "商品 返品 依頼、配送 遅延 確認。",
        "Please restart the service: Привет, café.",
    ],
)
def test_ordinary_words_are_left(text: str) -> None:
    assert found(text) == set()


def test_a_name_explains_no_more_of_a_text_without_spaces_than_itself() -> None:
    words = READER.read("佐藤様と刘洋が来た")
    assert open_words(words, [Found(0, 2, "person_name", 0.9)]) == (1, 0)
    assert open_words(words, [Found(0, len(words.text), "person_name", 0.9)]) == (0, 0)
