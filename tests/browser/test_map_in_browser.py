"""The interactive map in headless Chromium, without network: what people see, point at and press."""

import re

import pandas as pd
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[dev]')")

import chromium
import small_pages
from interactive_map import made_up_page
from with_defaults import map_page

from selfembed.maps.nearest_texts import nearest_texts
from selfembed.pages.interactive_map import Coloring, column_coloring

pytestmark = pytest.mark.skipif(chromium.program() is None, reason="no Chromium is installed")

HOSTILE = small_pages.HOSTILE[0]
PLACE = """text => {
    const frame = document.getElementById('map').getBoundingClientRect();
    const {xaxis, yaxis} = document.getElementById('map').layout;
    const found = atob(document.getElementById('positions-' + MODEL).textContent);
    const at = (place) => (found.charCodeAt(2 * place) + 256 * found.charCodeAt(2 * place + 1)) / 65535;
    const part = (value, [low, high]) => (value - low) / (high - low);
    return [
        frame.left + frame.width * part(at(2 * text), xaxis.range),
        frame.bottom - frame.height * part(at(2 * text + 1), yaxis.range),
    ];
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium.open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A page whose texts would break it, if it took them as HTML."""
    page = map_page(small_pages.HOSTILE[0], small_pages.corpus(), small_pages.maps(), small_pages.colorings())
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser, path):
    """A function that opens the page in a session of its own; afterwards, that nothing went wrong is asserted."""
    opened = []

    def run(**settings):
        context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900}, **settings)
        page = context.new_page()
        problems, requests = [], []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        opened.append((context, page, problems, requests))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        return page

    yield run
    for context, page, problems, requests in opened:
        assert page.evaluate("window.broken") is None
        assert problems == []
        assert set(requests) == {path.as_uri()}
        context.close()


@pytest.fixture
def page(open_page):
    return open_page()


def place(page, text, model=0):
    """Where a text is on the screen."""
    return page.evaluate(PLACE.replace("MODEL", str(model)), text)


def point_at(page, text, model=0):
    page.mouse.move(5, 5)
    page.mouse.move(*place(page, text, model), steps=3)
    page.wait_for_selector("#hover:not([hidden])")


def pixels(page):
    """The picture of the map, without what lies over it."""
    return page.locator("#map").screenshot()


def wait_for_models(page):
    page.wait_for_function("!document.body.classList.contains('moving')")


def test_it_loads_and_says_what_it_is(page):
    assert page.locator("#loading").is_hidden()
    assert page.locator("h1").inner_text() == page.title() == small_pages.HOSTILE[0]
    label = page.locator("#map").get_attribute("aria-label")
    assert label.startswith("Map of 60 texts, placed by Before and coloured by label (6).")
    assert page.locator("#classes .toggle").count() == 6


@pytest.mark.parametrize("text", [*range(len(small_pages.HOSTILE)), 25], ids=lambda text: f"text {text}")
def test_hovering_shows_title_and_text_as_text(page, text):
    point_at(page, text)
    corpus = small_pages.corpus()
    assert page.locator("#hover .title").text_content() == corpus["title"][text]
    assert page.locator("#hover .text").text_content() == corpus["text"][text]
    assert page.locator("#hover").locator("script, img, b").count() == 0


def test_a_hostile_class_is_shown_as_text(page):
    assert small_pages.HOSTILE[0] in page.locator("#classes .name").all_text_contents()
    point_at(page, 8)
    assert page.locator("#hover .class").all_text_contents() == [small_pages.HOSTILE[0], "group 3"]


def test_a_click_keeps_a_text_and_announces_it(page):
    page.mouse.click(*place(page, 25))
    page.wait_for_selector("#selected:not([hidden])")
    assert page.locator("#selected").get_attribute("aria-live") == "polite"
    assert "Title 25" in page.locator("#selected").inner_text()
    page.locator("#selected .close").click()
    assert page.locator("#selected").is_hidden()


def buttons(page, name):
    """The numbers of the texts in a list."""
    return [int(button.get_attribute("data-text")) for button in page.locator(f"#{name} button").all()]


def test_a_text_has_its_neighbours_and_what_another_model_changes(page):
    page.mouse.click(*place(page, 25))
    page.wait_for_selector("#neighbors:not([hidden])")
    before, after = (nearest_texts(positions)[25].tolist() for positions in small_pages.maps().values())
    assert buttons(page, "nearest") == before
    assert buttons(page, "lost") == [text for text in after if text not in before]
    kept = len(set(before) & set(after))
    assert page.locator("#kept").inner_text() == f"{kept} of 10 also with After"
    marked = [
        int(item.locator("button").get_attribute("data-text")) for item in page.locator("#nearest li:has(.tag)").all()
    ]
    assert marked == [text for text in before if text not in after] != []
    page.locator("#map").focus()
    page.keyboard.press("2")
    wait_for_models(page)
    assert buttons(page, "nearest") == after
    assert page.locator("#lost-title").inner_text() == "Only with Before"


def test_one_walks_from_neighbour_to_neighbour(page):
    page.mouse.click(*place(page, 25))
    page.wait_for_selector("#neighbors:not([hidden])")
    next_text = buttons(page, "nearest")[2]
    page.locator("#nearest button").nth(2).click()
    assert f"Title {next_text}" in page.locator("#selected").inner_text()
    assert buttons(page, "nearest") == nearest_texts(small_pages.maps()["Before"])[next_text].tolist()
    assert page.evaluate("document.activeElement.parentElement.parentElement.id") == "nearest"
    page.keyboard.press("Enter")
    assert f"Title {next_text}" not in page.locator("#selected").inner_text()
    page.locator("#selected .close").click()
    assert page.locator("#neighbors").is_hidden()


def test_a_hostile_neighbour_is_shown_as_text(page):
    page.mouse.click(*place(page, 1))
    page.wait_for_selector("#neighbors:not([hidden])")
    shown = page.locator("#nearest button").all_text_contents()
    assert small_pages.HOSTILE[2] in shown and page.locator("#neighbors").locator("script, img, b").count() == 0


def names_on_the_map(page):
    """The names of clusters that are shown, and their frames."""
    spans = page.locator("#names span").all()
    return {span.text_content(): span.bounding_box() for span in spans if span.is_visible()}


def test_names_of_clusters_never_overlap_and_more_fit_as_one_zooms_in(browser, tmp_path):
    names = [f"a long name of cluster {row % 30}" for row in range(60)]
    colorings = [Coloring("Cluster", names, on_map=True)]
    path = tmp_path / "names.html"
    path.write_text(map_page("Names", small_pages.corpus(), small_pages.maps(), colorings), encoding="utf-8")
    page = browser.new_context(offline=True, viewport={"width": 1000, "height": 700}).new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    whole = names_on_the_map(page)
    assert 2 <= len(whole) < 30
    frames = list(whole.values())
    for place, one in enumerate(frames):
        for other in frames[place + 1 :]:
            assert (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
                or one["y"] + one["height"] <= other["y"]
                or other["y"] + other["height"] <= one["y"]
            )
    page.evaluate("Plotly.relayout('map', {'xaxis.range': [-0.05, 0.45], 'yaxis.range': [0.3, 0.6]})")
    within = [row for row in range(30) if row % 10 < 4 and row // 10 in (1, 2)]
    shown = names_on_the_map(page)
    assert {f"a long name of cluster {row}" for row in within if row // 10 == 2} & set(shown) - set(whole)
    page.keyboard.press("m")
    assert names_on_the_map(page) == {}
    assert page.locator("#names-switch").get_attribute("aria-pressed") == "false"
    page.keyboard.press("m")
    assert names_on_the_map(page) == shown
    page.locator("#none").click()
    assert names_on_the_map(page) == {}
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_stand_out_from_the_ground(open_page, scheme):
    page = open_page(color_scheme=scheme)
    assert set(names_on_the_map(page)) == {f"group {number}" for number in range(5)}
    colors = page.locator("#names span").first.evaluate(
        "span => [getComputedStyle(span).color, getComputedStyle(document.body).backgroundColor]"
    )
    ink, ground = (sum(map(int, re.findall(r"\d+", color))) for color in colors)
    assert abs(ink - ground) > 500


def drag(page, *corners):
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=5)
    page.mouse.up()


def exported(page, tmp_path):
    """The texts that a click on the button exports, and the name of the file."""
    with page.expect_download() as download:
        page.locator("#export").click()
    download.value.save_as(tmp_path / "texts.csv")
    return pd.read_csv(tmp_path / "texts.csv", dtype=str), download.value.suggested_filename


def test_a_box_selects_texts_together_with_search_and_classes(page, tmp_path):
    page.keyboard.press("b")
    assert page.locator("#box").get_attribute("aria-pressed") == "true"
    (left, bottom), (right, top) = place(page, 20), place(page, 33)
    drag(page, (left - 20, top - 20), (right + 20, bottom + 20))
    page.wait_for_function("document.getElementById('count').textContent === '8 texts selected'")
    assert buttons(page, "hits") == [20, 21, 22, 23, 30, 31, 32, 33]
    page.locator("#query").fill("protein")
    page.wait_for_function("document.getElementById('count').textContent === '3 texts found in the selection'")
    page.locator("#classes .toggle").nth(1).click()
    assert buttons(page, "hits") == [30]
    found, name = exported(page, tmp_path)
    assert name.endswith(".csv")
    assert found.to_dict("records") == [
        {
            "id": "t30",
            "title": "Title 30",
            "text": "Text 30 about protein and more of it",
            "label": "class 2",
            "cluster": "group 0",
        }
    ]
    page.locator("#all").click()
    page.locator("#query").fill("")
    page.wait_for_function("document.getElementById('count').textContent === '8 texts selected'")
    page.locator("#unpick").click()
    page.wait_for_function("document.getElementById('count').textContent === ''")
    assert page.locator("#unpick").is_hidden()
    assert page.evaluate("document.getElementById('map').data.every(({selectedpoints}) => !selectedpoints)")


def test_a_lasso_selects_what_it_encloses_in_every_map(page):
    page.locator("#lasso").click()
    (left, bottom), (right, top) = place(page, 20), place(page, 33)
    drag(page, (left - 20, top - 20), (right + 20, top - 20), (left - 20, bottom + 20), (left - 20, top - 20))
    page.wait_for_function("document.getElementById('count').textContent === '4 texts selected'")
    assert buttons(page, "hits") == [20, 30, 31, 32]
    page.locator("#map").focus()
    page.keyboard.press("2")
    wait_for_models(page)
    assert buttons(page, "hits") == [20, 30, 31, 32]
    page.keyboard.press("l")
    assert page.evaluate("document.getElementById('map').layout.dragmode") == "pan"
    page.keyboard.press("Escape")
    page.wait_for_function("document.getElementById('count').textContent === ''")


def test_a_key_exports_what_is_found_and_hostile_texts_come_out_as_they_are(page, tmp_path):
    page.locator("#query").fill("<")
    page.wait_for_function("document.getElementById('count').textContent.includes('found')")
    shown = buttons(page, "hits")
    page.locator("#map").focus()
    with page.expect_download() as download:
        page.keyboard.press("e")
    download.value.save_as(tmp_path / "texts.csv")
    found = pd.read_csv(tmp_path / "texts.csv", dtype=str)
    corpus = small_pages.corpus().iloc[shown]
    for column in ("id", "title", "text"):
        assert found[column].tolist() == corpus[column].tolist()
    labels, clusters = small_pages.colorings()
    assert found["label"].astype(object).where(found["label"].notna(), None).tolist() == [
        labels.classes[row] for row in shown
    ]
    assert found["cluster"].tolist() == [clusters.classes[row] for row in shown]
    assert (tmp_path / "texts.csv").read_bytes().startswith(b"\xef\xbb\xbfid,title,text,label,cluster\r\n")


@pytest.mark.parametrize(("address", "model"), [("#After", 1), ("#Else", 0), ("#%", 0)])
def test_the_address_names_the_model_that_is_shown_first(browser, path, address, model):
    page = browser.new_context(offline=True, viewport={"width": 1400, "height": 900}).new_page()
    page.goto(path.as_uri() + address)
    page.wait_for_selector("body[data-ready]")
    assert page.locator("#models input").nth(model).is_checked()
    point_at(page, 25, model)
    assert page.locator("#hover .title").text_content() == "Title 25"
    page.context.close()


def test_the_search_counts_lists_and_marks_what_it_finds(page):
    before = pixels(page)
    page.keyboard.press("/")
    page.keyboard.type("PROTEIN")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('20 ')")
    assert page.locator("#count").inner_text() == "20 texts found"
    assert page.locator("#hits li").count() == 20
    assert pixels(page) != before
    page.locator("#hits button").nth(3).click()
    assert page.locator("#selected mark").all_text_contents() == ["protein"]
    page.keyboard.press("n")
    page.wait_for_function("document.getElementById('selected').innerText.includes('Title 12')")
    page.keyboard.press("Escape")
    assert page.locator("#query").input_value() == "" and page.locator("#hits li").count() == 0


def test_a_search_for_markup_finds_the_texts_that_hold_it(page):
    page.locator("#query").fill("<script>window.broken")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('2 ')")
    assert page.locator("#hits li").count() == 2
    assert page.locator("#hits button").first.text_content() == small_pages.HOSTILE[0]


def test_a_search_finds_any_form_of_a_letter_and_arabic_is_written_from_the_right(browser, tmp_path):
    cases = {
        "Die Straße am Fluss": ("STRASSE", "Straße"),
        "我们到了北京，天气很好": ("北京", "北京"),
        "ﾃｽﾄ の日": ("テスト", "ﾃｽﾄ"),
        "cafe\u0301 noir": ("CAFÉ", "cafe\u0301"),
        "यह हिन्दी है": ("हिन्दी", "हिन्दी"),
        "ฉันไปตลาด": ("ตลาด", "ตลาด"),
        "ذهبت إلى السوق": ("السوق", "السوق"),
        "ΟΔΥΣΣΕΥΣ": ("οδυσσευς", "ΟΔΥΣΣΕΥΣ"),
    }
    frame = small_pages.corpus().assign(title=None)
    frame.loc[: len(cases) - 1, "text"] = list(cases)
    path = tmp_path / "scripts.html"
    path.write_text(map_page("Scripts", frame, small_pages.maps(), small_pages.colorings()), encoding="utf-8")
    page = browser.new_context(offline=True, viewport={"width": 1400, "height": 900}).new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    for text, (query, found) in cases.items():
        page.locator("#query").fill(query)
        page.wait_for_function("text => document.getElementById('hits').textContent === text", arg=text)
        assert page.locator("#hits mark").all_text_contents() == [found]
        direction = page.locator("#hits button").evaluate("button => getComputedStyle(button).direction")
        assert direction == ("rtl" if found == "السوق" else "ltr")
    page.context.close()


def test_enter_zooms_to_what_is_found_and_zero_back(page):
    whole = page.evaluate("document.getElementById('map').layout.xaxis.range")
    page.locator("#query").fill("Title 25")
    page.keyboard.press("Enter")
    page.wait_for_function("whole => document.getElementById('map').layout.xaxis.range[0] > whole[0] + 0.1", arg=whole)
    left, top = place(page, 25)
    frame = page.locator("#map").bounding_box()
    assert abs(left - frame["width"] / 2) < 3 and abs(top - frame["height"] / 2) < 3
    page.keyboard.press("Escape")
    page.locator("#map").focus()
    page.keyboard.press("0")
    page.wait_for_function(
        "whole => Math.abs(document.getElementById('map').layout.xaxis.range[0] - whole[0]) < 1e-9", arg=whole
    )


def test_a_class_can_be_hidden_shown_alone_and_all_brought_back(page):
    toggles = page.locator("#classes .toggle")
    before = pixels(page)
    toggles.nth(0).click()
    assert toggles.nth(0).get_attribute("aria-pressed") == "false"
    assert page.locator("#shown").inner_text() == "5 of 6 shown"
    hidden = pixels(page)
    assert hidden != before
    page.locator("#classes li").nth(1).hover()
    page.locator("#classes .only").nth(1).click()
    assert [toggle.get_attribute("aria-pressed") for toggle in toggles.all()] == ["false", "true", *["false"] * 4]
    page.locator("#query").fill("text")
    page.wait_for_function("document.getElementById('count').textContent.includes('in the classes shown')")
    page.locator("#query").fill("")
    page.locator("#all").click()
    assert page.locator("#shown").inner_text() == "5 classes"
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    assert pixels(page) == before


def test_a_hidden_text_cannot_be_pointed_at(page):
    page.locator("#none").click()
    page.mouse.move(*place(page, 25), steps=3)
    page.wait_for_timeout(300)
    assert page.locator("#hover").is_hidden()


def test_the_other_model_moves_the_texts(page):
    before = pixels(page)
    page.locator("#models input").nth(1).check(force=True)
    wait_for_models(page)
    assert pixels(page) != before
    assert "placed by After" in page.locator("#map").get_attribute("aria-label")
    assert place(page, 25, model=1) != place(page, 25)
    point_at(page, 25, model=1)
    assert page.locator("#hover .title").text_content() == "Title 25"
    page.locator("#map").focus()
    page.keyboard.press("1")
    wait_for_models(page)
    point_at(page, 25)
    assert page.locator("#hover .title").text_content() == "Title 25"


def test_models_switched_in_haste_end_where_they_should(page):
    page.locator("#map").focus()
    for key in "21212":
        page.keyboard.press(key)
    wait_for_models(page)
    page.wait_for_timeout(1500)
    assert not page.evaluate("document.body.classList.contains('moving')")
    point_at(page, 25, model=1)
    assert page.locator("#hover .title").text_content() == "Title 25"


def test_texts_are_coloured_by_label_or_cluster(page):
    before = pixels(page)
    page.keyboard.press("c")
    names = page.locator("#classes .name").all_text_contents()
    assert names == [f"group {number}" for number in range(5)]
    assert page.locator("#note").inner_text() == "Found."
    assert pixels(page) != before


@pytest.fixture
def columns(browser, tmp_path):
    """A page with columns of numbers, dates and classes, some of them hostile or missing."""
    cells = {
        "year": [None if row % 10 == 9 else f"{2010 + row // 10}" for row in range(60)],
        "sent on": [f"2024-{1 + row % 12:02}-03 10:00" for row in range(60)],
        HOSTILE: [HOSTILE if row % 2 else f"desk {row % 3}" for row in range(60)],
    }
    colorings = [column_coloring(name, pd.Series(found)) for name, found in cells.items()]
    of_all = Coloring("New text", [HOSTILE if row > 57 else None for row in range(60)], rest="texts of the map")
    colorings = [*small_pages.colorings(), *colorings, of_all]
    path = tmp_path / "columns.html"
    path.write_text(map_page("Columns", small_pages.corpus(), small_pages.maps(), colorings), encoding="utf-8")
    page = browser.new_context(offline=True, viewport={"width": 1400, "height": 900}).new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    yield page
    assert page.evaluate("window.broken") is None and problems == []
    page.context.close()


def test_texts_are_coloured_by_columns(columns, tmp_path):
    choice = columns.get_by_label("Colour by")
    assert choice.locator("option").all_text_contents() == ["Label", "Cluster", "year", "sent on", HOSTILE, "New text"]
    before = pixels(columns)
    choice.select_option("year")
    years = [f"{year}" for year in range(2010, 2016)]
    assert columns.locator("#classes .name").all_text_contents() == [*years, "no year"]
    assert "coloured by year" in columns.locator("#map").get_attribute("aria-label")
    assert pixels(columns) != before
    point_at(columns, 25)
    shown = ["year: 2012", "sent on: 2024-02-03 10:00", f"{HOSTILE}: {HOSTILE}"]
    assert columns.locator("#hover .class").all_text_contents()[2:] == shown
    columns.locator("#classes li").nth(2).hover()
    columns.locator("#classes .only").nth(2).click()
    columns.locator("#query").fill("protein")
    columns.wait_for_function("document.getElementById('count').textContent.startsWith('3 texts found in the classes')")
    found, _ = exported(columns, tmp_path)
    assert found["year"].tolist() == ["2012"] * 3 and set(found[HOSTILE]) == {HOSTILE, "desk 0"}
    choice.select_option("New text")
    assert columns.locator("#classes .name").all_text_contents() == [HOSTILE, "texts of the map"]
    assert columns.get_by_label("Only texts of the map").count() == 1


def test_the_keyboard_alone_chooses_a_column(columns):
    columns.locator("#colorings").focus()
    for _ in range(3):
        columns.keyboard.press("ArrowDown")
    assert columns.locator("#classes .name").all_text_contents() == [f"2024-{month:02}" for month in range(1, 13)]
    columns.locator("#map").focus()
    columns.keyboard.press("c")
    assert columns.locator("#colorings").input_value() == HOSTILE
    assert set(columns.locator("#classes .name").all_text_contents()) == {HOSTILE, "desk 0", "desk 1", "desk 2"}


def test_keys_move_and_zoom_the_map(page):
    def view():
        layout = page.evaluate("document.getElementById('map').layout")
        return layout["xaxis"]["range"], layout["yaxis"]["range"]

    page.locator("#map").focus()
    start = view()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    moved = view()
    assert moved[0][0] > start[0][0] and moved[1][0] > start[1][0]
    page.keyboard.press("+")
    nearer = view()
    assert nearer[0][1] - nearer[0][0] < 0.7 * (moved[0][1] - moved[0][0])
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#keys").is_hidden()


def test_another_window_size_keeps_the_middle_of_the_map_and_its_scale(page):
    page.mouse.move(*place(page, 25))
    before = page.evaluate("document.getElementById('map').layout.xaxis.range")
    page.set_viewport_size({"width": 1000, "height": 700})
    page.wait_for_function("document.querySelector('#map .main-svg').clientWidth === 670")
    after = page.evaluate("document.getElementById('map').layout.xaxis.range")
    assert sum(after) == pytest.approx(sum(before))
    assert (after[1] - after[0]) / 670 == pytest.approx((before[1] - before[0]) / 1070)
    point_at(page, 25)
    assert page.locator("#hover .title").text_content() == "Title 25"


def test_dragging_and_the_wheel_move_and_zoom_the_map(page):
    left, top = place(page, 25)
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(560, 430, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert place(page, 25) == pytest.approx([left + 60, top + 30], abs=2)
    before = page.evaluate("document.getElementById('map').layout.xaxis.range")
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(600)
    after = page.evaluate("document.getElementById('map').layout.xaxis.range")
    assert after[1] - after[0] < 0.95 * (before[1] - before[0])
    point_at(page, 25)
    assert page.locator("#hover .title").text_content() == "Title 25"


def test_everything_can_be_reached_with_the_tab_key(page):
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.id || document.activeElement.className) + ''"))
    assert {
        "map",
        "box",
        "lasso",
        "names-switch",
        "export",
        "zoom-in",
        "theme",
        "query",
        "all",
        "none",
        "toggle",
        "colorings",
        "only",
    } <= reached


def test_dark_follows_the_system_and_is_remembered(open_page, browser):
    page = open_page(color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_touch_shows_a_text_on_a_phone(browser, path):
    context = browser.new_context(
        offline=True, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.touchscreen.tap(*place(page, 25))
    page.wait_for_selector("#selected:not([hidden])")
    assert "Title 25" in page.locator("#selected").inner_text()
    context.close()


def test_a_hundred_thousand_texts_load_and_can_be_searched(browser, tmp_path):
    path = tmp_path / "large.html"
    path.write_text(made_up_page(100_000), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    waited = page.evaluate("performance.now()")
    print(f"100,000 texts: ready after {waited / 1000:.1f} s, {path.stat().st_size / 1e6:.1f} MB")
    page.locator("#query").fill("text 99999")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('1 text')")
    page.keyboard.press("2")
    assert problems == []
    context.close()
