"""What the columns of other people's lists are called, in English, French, Arabic, Russian and Ukrainian.

The table is data for people to read and add to. It recognises a heading; it never decides what a column
means: that is the mapping a registrar confirms (`mapping.py`).
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache


class Field(StrEnum):
    """What a column of a list may tell us."""

    SERIAL_NUMBER = "serial_number"
    MODEL = "model"
    MAKER = "maker"
    CALIBRE = "calibre"
    COUNTRY = "country"
    YEAR = "year"
    STOCK_NUMBER = "stock_number"
    QUANTITY = "quantity"
    UNIT_VALUE = "unit_value"
    LOT = "lot"
    CONDITION = "condition"
    ASSET_TAG = "asset_tag"
    DISTINGUISHING_MARK = "distinguishing_mark"
    OBLITERATED = "obliterated"
    CONTAINER = "container"
    SEAL = "seal"
    DONOR = "donor"
    SITE = "site"
    ACCOUNT = "account"
    HOLDER = "holder"
    NAME = "name"
    RANK = "rank"
    SERVICE_NUMBER = "service_number"
    UNIT = "unit"
    UNIT_CODE = "unit_code"
    PARENT_UNIT = "parent_unit"
    LEFT_BECAUSE = "left_because"
    SHIPPED_ON = "shipped_on"
    RECEIVED_ON = "received_on"
    DATE = "date"
    DOCUMENT_NUMBER = "document_number"
    REMARKS = "remarks"


SYNONYMS: dict[Field, str] = {
    Field.SERIAL_NUMBER: """
        serial number; serial no; serial nr; serial; serials; serial num; serial #; s/n; sn; ser no;
        ser nr; ser; weapon serial number; weapon serial no; weapon serial; weapon number; weapon no;
        gun number; rifle number; rifle no; serialnumber; serialno; seriennummer; numéro de série;
        no de série; n° de série; num de série; n° série; numéro de l'arme; n° arme; número de serie;
        matricule de l'arme;
        الرقم التسلسلي; رقم تسلسلي; الرقم المتسلسل; رقم السلاح; رقم القطعة; رقم البندقية; التسلسلي;
        серийный номер; серийный №; заводской номер; заводской №; зав. №; зав номер; сер. №; серийный;
        номер оружия; № оружия; номер изделия; серия и номер; серійний номер; серійний №;
        заводський номер; заводський №; номер зброї; № зброї; сер. номер; серія та номер
    """,
    Field.MODEL: """
        model; type; weapon type; type of weapon; weapon; weapon model; nomenclature; description; item;
        item description; item name; model no; model number; model name; make and model; make/model;
        designation; item nomenclature; modèle; type d'arme; désignation; dénomination; arme; libellé;
        الطراز; طراز; نوع السلاح; النوع; نوع; الموديل; موديل; السلاح; المادة; اسم المادة; الوصف;
        модель; тип; тип оружия; вид оружия; наименование; оружие; марка; наименование оружия; образец;
        марка модель; найменування; тип зброї; вид зброї; зброя; назва; зразок; найменування зброї
    """,
    Field.MAKER: """
        maker; manufacturer; make; manufactured by; factory; mfr; producer; brand; fabricant;
        manufacture; constructeur; marque;
        الصانع; الشركة المصنعة; المصنع; جهة الصنع; الشركة الصانعة;
        изготовитель; производитель; завод; завод изготовитель; виробник; завод виробник;
        підприємство виробник
    """,
    Field.CALIBRE: """
        calibre; caliber; cal; calibre mm;
        العيار; عيار;
        калибр; калибр мм; калібр; калібр мм
    """,
    Field.COUNTRY: """
        country; country of origin; country of manufacture; origin; coo; pays; pays d'origine; origine;
        pays de fabrication;
        بلد المنشأ; المنشأ; بلد الصنع;
        страна; страна происхождения; страна изготовления; країна; країна походження; країна виробництва
    """,
    Field.YEAR: """
        year; year of manufacture; year made; année; année de fabrication;
        سنة الصنع; السنة;
        год выпуска; год; год изготовления; рік випуску; рік; рік виготовлення
    """,
    Field.STOCK_NUMBER: """
        stock number; stock no; nsn; national stock number; nato stock number; lin; part number; part no;
        p/n; nno; numéro de nomenclature; référence;
        رقم المخزون; رقم المخزن;
        номенклатурный номер; шифр; код номенклатуры; номенклатурний номер; код номенклатури
    """,
    Field.QUANTITY: """
        quantity; qty; quant; count; number of items; no of items; pieces; pcs; qnty; amount; quantité;
        qté; nombre; nb;
        الكمية; كمية; العدد; عدد;
        количество; кол-во; кол; колво; шт; количество шт; кількість; к-сть; кільк; кількість шт
    """,
    Field.UNIT_VALUE: """
        unit value; unit price; unit cost; price; value; prix unitaire; valeur; prix;
        سعر الوحدة; السعر; القيمة;
        цена; стоимость; цена за единицу; ціна; вартість; ціна за одиницю
    """,
    Field.LOT: """
        lot; lot number; lot no; batch; batch number; batch no; numéro de lot; n° de lot; n° lot;
        رقم الدفعة; الدفعة; رقم الوجبة;
        партия; номер партии; № партии; партія; номер партії; № партії
    """,
    Field.CONDITION: """
        condition; condition code; cond; serviceability; state; cc; status; état; etat;
        condition de l'arme;
        الحالة; حالة السلاح; حالة; الحالة الفنية; الصلاحية;
        состояние; техническое состояние; категория; стан; технічний стан; категорія
    """,
    Field.ASSET_TAG: """
        asset tag; tag; asset number; asset no; barcode; bar code; tag number; asset id; étiquette;
        code barre; code à barres;
        رقم البطاقة; الباركود;
        инвентарный номер; инв. №; инв номер; штрихкод; штрих код; інвентарний номер; інв. №; інв номер
    """,
    Field.DISTINGUISHING_MARK: """
        distinguishing mark; marks; mark; markings; import mark; marquage; marques;
        العلامات; علامة مميزة;
        клеймо; маркировка; тавро; маркування
    """,
    Field.OBLITERATED: """
        obliterated; defaced; serial obliterated; illegible; effacé; illisible; مطموس; ممسوح;
        сбит; стёрт; номер сбит; нечитаемый; збитий; стертий; нечитабельний
    """,
    Field.CONTAINER: """
        container; box; box number; box no; case; case no; crate; crate no; pallet; caisse; n° de caisse;
        conteneur;
        رقم الصندوق; الصندوق; صندوق;
        ящик; номер ящика; № ящика; место; номер ящику; № ящику
    """,
    Field.SEAL: """
        seal; seal number; seal no; scellé; n° de scellé; plomb;
        رقم الختم; الختم;
        пломба; номер пломбы; № пломбы; номер пломби; № пломби
    """,
    Field.DONOR: """
        donor; source; supplier; funding source; program; programme; donateur; fournisseur;
        المانح; الجهة المانحة; المورد;
        донор; поставщик; постачальник
    """,
    Field.SITE: """
        site; depot; location; warehouse; armory; armoury; arms room; dépôt; emplacement; lieu; magasin;
        الموقع; المستودع; المخزن; مخزن; المشجب;
        склад; место хранения; местонахождение; місце зберігання; місцезнаходження
    """,
    Field.ACCOUNT: """
        account; store; custody account; compte;
        الحساب; الذمة;
        счет; рахунок
    """,
    Field.HOLDER: """
        holder; issued to; assigned to; receiver; recipient; hand receipt holder; custodian; user;
        détenteur; attribué à; remis à; bénéficiaire;
        الحائز; المستلم; حامل السلاح; المسؤول; بذمة; مستلم السلاح;
        держатель; получатель; выдано; кому выдано; закреплено за; ответственный; за кем закреплено;
        одержувач; отримувач; видано; кому видано; закріплено за; відповідальний
    """,
    Field.NAME: """
        name; full name; soldier; soldier name; name of soldier; surname and name; last name first name;
        nom; nom et prénom; nom et prénoms; nom complet; nom prénom;
        الاسم; الاسم الكامل; الاسم الثلاثي; الاسم الرباعي; اسم المنتسب; اسم الجندي; اسم;
        фио; ф.и.о.; фамилия имя отчество; фамилия; имя; полное имя; піб; п.і.б.;
        прізвище ім'я по батькові; прізвище; прізвище та ім'я; ім'я
    """,
    Field.LEFT_BECAUSE: """
        left because; reason for leaving; reason left; personnel status; duty status; service status; casualty status;
        position administrative; motif de départ; سبب المغادرة; سبب الترك; الموقف;
        причина выбытия; статус службы; причина вибуття; статус служби
    """,
    Field.RANK: """
        rank; grade;
        الرتبة; رتبة;
        звание; воинское звание; звання; військове звання
    """,
    Field.SERVICE_NUMBER: """
        service number; service no; military id; military number; army number; badge number; badge no;
        id number; id no; person id; personnel number; employee number; dod id; national id; id card no;
        matricule; numéro matricule; n° matricule;
        الرقم العسكري; رقم عسكري; الرقم الاحصائي; رقم الهوية; رقم الباج; الرقم الوظيفي;
        личный номер; личный №; табельный номер; номер удостоверения; жетон; особистий номер;
        особовий номер; номер посвідчення
    """,
    Field.UNIT: """
        unit; unit name; organization; organisation; battalion; brigade; company; formation; unité;
        unité d'affectation; corps; régiment;
        الوحدة; وحدة; التشكيل; الفوج; اللواء; اسم الوحدة;
        часть; подразделение; воинская часть; в/ч; частина; підрозділ; військова частина
    """,
    Field.UNIT_CODE: """
        unit code; uic; unit identification code; unit id; dodaac; code unité; code de l'unité;
        رمز الوحدة; رقم الوحدة;
        код части; номер части; код подразделения; код частини; номер частини; код підрозділу
    """,
    Field.PARENT_UNIT: """
        parent unit; higher unit; higher headquarters; parent; reports to; unité supérieure; unité mère;
        الوحدة الأعلى; الوحدة الام; المقر الأعلى;
        вышестоящая часть; вышестоящее подразделение; вища частина; вищий підрозділ
    """,
    Field.SHIPPED_ON: """
        ship date; shipping date; date shipped; shipped on; shipped; date of shipment; date d'expédition; date de livraison;
        تاريخ الشحن;
        дата отгрузки; дата отправки; дата відвантаження
    """,
    Field.RECEIVED_ON: """
        date received; receipt date; received on; received; date of receipt; arrival date; date de réception;
        تاريخ الوصول;
        дата поступления; дата получения; дата приема; дата надходження; дата отримання
    """,
    Field.DATE: """
        date; issue date; date issued; date of issue; date de remise;
        التاريخ; تاريخ; تاريخ التسليم; تاريخ الاستلام; تاريخ الصرف;
        дата; дата выдачи; дата видачі
    """,
    Field.DOCUMENT_NUMBER: """
        document number; document no; doc no; doc number; voucher; voucher number; voucher no;
        hand receipt number; receipt number; contract; contract number; contract no; invoice; invoice no;
        numéro de document; n° de document; n° de bon; bon; numéro du bon;
        رقم الوثيقة; رقم المستند; رقم السند; رقم العقد; رقم الكتاب;
        номер документа; № документа; документ; накладная; номер накладной; № накладной; накладна;
        номер накладної; № накладної
    """,
    Field.REMARKS: """
        remarks; remark; comments; comment; notes; note; observations; remarques; commentaires;
        الملاحظات; ملاحظات; ملاحظة;
        примечание; примечания; примітка; примітки; комментарий; коментар
    """,
}
"""Each heading once, between semicolons; case, accents and punctuation do not matter (`plain`)."""

PARTS = " / "
"""Between the lines of a heading of several lines, once joined."""

TOTALS = """
    total; totals; grand total; subtotal; sub total; sum; total général; sous total; somme; totaux;
    المجموع; المجموع الكلي; الاجمالي; الإجمالي; مجموع;
    итого; всего; итог; разом; усього; всього; підсумок
"""

ARABIC_SPELLINGS = str.maketrans({"ى": "ي", "ة": "ه", "ـ": None})
LINES = re.compile(r" / |[\n\r]+")
BREAKS = re.compile(r"[/|()\[\]،,;:]+|\s[-–—]\s")


def plain(text: str) -> str:
    """Fold what writers of headings vary: case, accents, Arabic vowels and spellings, punctuation."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(ARABIC_SPELLINGS)
    letters = (letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split())


def listed(words: str) -> frozenset[str]:
    """The plain forms of the words of a table's entry."""
    return frozenset(plain(word) for word in words.split(";"))


KNOWN: dict[str, Field] = {word: field for field, words in SYNONYMS.items() for word in listed(words)}
KNOWN_TOTALS = listed(TOTALS)


@lru_cache(maxsize=4096)
def recognise(heading: str) -> Field | None:
    """The field a heading names outright. Of several lines ("Weapon / Model") the lowest that names one
    decides, and in a line the whole before its parts ("Serial No. (weapon)").
    """
    if len(heading) > 200:
        return None
    if (whole := KNOWN.get(plain(heading))) is not None:
        return whole
    for line in reversed(LINES.split(heading)):
        for part in (line, *BREAKS.split(line)):
            if (field := KNOWN.get(plain(part))) is not None:
                return field
    return None


FIRST_OF_TOTALS = frozenset(word[0] for word in KNOWN_TOTALS)


def may_say_total(cell: str) -> bool:
    """Whether `says_total` has to be asked: half a million serial numbers begin otherwise."""
    return not (cell[0].isascii() and cell[0].isalnum()) or cell[0].isdigit() or cell[0].lower() in FIRST_OF_TOTALS


def says_total(cell: str) -> bool:
    """Whether a cell begins a line of sums ("Total:", "Итого", "المجموع", "TOTAL 1200")."""
    return len(cell) < 60 and plain(cell).strip("0123456789 ") in KNOWN_TOTALS
