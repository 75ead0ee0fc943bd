"""The page as a reader has it: in a browser, with its filters and its pointer."""

from __future__ import annotations

import json
import re

import pytest
from report.browser import CHROMEDRIVER, CHROMIUM, browser
from report.synthetic import MAE, complete, make_study, predictions
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from irnet_ray.report.page import build_report
from irnet_ray.study.run_directory import RunDirectory

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="no Chromium with its driver (Debian: chromium, chromium-driver)"
)

DATA = [
    {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 20_000},
    {"dataset": "aflow_energy", "property": "energy_per_atom", "train_size": 20_000},
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a run on two datasets, in a browser."""
    run = RunDirectory(str(tmp_path_factory.mktemp("run")))
    run.claim(make_study(data=DATA, seeds=[0, 1, 2]))
    for trial in run.study().trials():
        complete(run, trial, predictions(MAE[trial.label], trial.seed))
    uri = build_report(run)
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        driver.get("about:blank")
        driver.get_log("performance")  # of the page that it starts with
        driver.get(f"file://{uri}")
        yield driver


@pytest.fixture(autouse=True)
def _show_all(page):
    page.find_element(By.CSS_SELECTOR, ".filters button").click()
    page.execute_async_script("setTimeout(arguments[0])")  # the page follows a reset by such a timer
    page.execute_script("scrollTo(0, 0)")


def visible(page, selector: str) -> int:
    script = "return [...document.querySelectorAll(arguments[0])].filter(e => e.getClientRects().length).length"
    return page.execute_script(script, selector)


def uncheck(page, name: str, value: str) -> None:
    box = page.find_element(By.CSS_SELECTOR, f'.filters input[name="{name}"][value="{value}"]')
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()


def test_it_opens_without_a_complaint_or_a_request(page):
    assert [entry for entry in page.get_log("browser") if entry["level"] != "INFO"] == []
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert sum(url.startswith("file:") for url in requests) == 1


def shown(page) -> list[str]:
    """Everything visible that a filter could be about, each with a mark of its own."""
    script = """
        let number = 0;
        const marked = "tr[data-model], .finding, figure, .drawing [data-model]";
        return [...document.querySelectorAll(marked)].filter((each) => {
          each.dataset.number ??= number++;
          return each.getClientRects().length;
        }).map((each) => [each.dataset.number, each.dataset.model, each.dataset.depth].join("/"));
    """
    return page.execute_script(script)


@pytest.mark.parametrize(("name", "value"), [("depth", "48"), ("model", "plain"), ("model", "classical")])
def test_a_filter_hides_all_that_it_is_about_and_nothing_else(page, name, value):
    before = shown(page)
    part = {"model": 1, "depth": 2}[name]
    about = [each for each in before if value in each.split("/")[part].split(" ") or each.split("/")[part] == "all"]
    about = [each for each in about if name == "depth" or each.split("/")[part] != "all"]
    assert len(about) > 10
    uncheck(page, name, value)
    assert shown(page) == [each for each in before if each not in about]
    uncheck(page, name, value)
    assert shown(page) == before


def test_a_dataset_takes_its_figures_and_findings_with_it(page):
    figures, findings = visible(page, "figure"), visible(page, ".finding")
    uncheck(page, "dataset", "aflow_energy")
    assert visible(page, "figure") == figures / 2
    assert visible(page, ".finding") == findings / 2


def test_a_line_through_all_depths_goes_when_one_of_them_is_hidden(page):
    assert visible(page, '[data-depth="all"]') > 0
    uncheck(page, "depth", "17")
    assert visible(page, '[data-depth="all"]') == 0
    assert visible(page, '[data-depth="48"]') > 0


def test_a_question_goes_with_its_last_finding(page):
    questions = visible(page, ".question")
    uncheck(page, "model", "irnet")
    assert 0 < visible(page, ".question") < questions
    for group in page.find_elements(By.CSS_SELECTOR, ".question, .claim-group"):
        if group.is_displayed():
            assert any(finding.is_displayed() for finding in group.find_elements(By.CSS_SELECTOR, ".finding"))


def wait_for_frames(page) -> None:
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def test_a_pointer_shows_the_trial(page):
    mark = page.find_element(By.CSS_SELECTOR, 'figure [data-trials][data-model="irnet"][data-depth="48"] use')
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    wait_for_frames(page)  # it has scrolled
    ActionChains(page).move_to_element(mark).perform()
    tip = page.find_element(By.CSS_SELECTOR, ".tip")
    assert tip.is_displayed()
    assert re.search(r"IRNet-48, seed \d", tip.text)
    assert re.search(r"test MAE 0\.076\d eV/atom", tip.text)
    ActionChains(page).move_to_element(page.find_element(By.TAG_NAME, "h1")).perform()
    assert not tip.is_displayed()


def test_taps_in_one_figure_after_another_show_their_trials(page):
    tip = page.find_element(By.CSS_SELECTOR, ".tip")
    figures = page.find_elements(By.CSS_SELECTOR, "figure")
    for figure in figures[:3]:
        mark = figure.find_element(By.CSS_SELECTOR, "[data-trials] use, image[data-trials], [data-trials] image")
        page.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
        wait_for_frames(page)
        box = page.execute_script("return arguments[0].getBoundingClientRect()", mark)
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        wait_for_frames(page)
        assert tip.is_displayed()
        assert "seed" in tip.text


def test_arrow_keys_go_from_trial_to_trial(page):
    drawing = page.find_element(By.CSS_SELECTOR, ".drawing")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", drawing)
    wait_for_frames(page)  # it has scrolled
    tip = page.find_element(By.CSS_SELECTOR, ".tip")
    texts = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_RIGHT):
        ActionChains(page).send_keys(key).perform()
        wait_for_frames(page)
        texts.append(tip.text)
    first, second, again, last, around = texts
    assert len({first, second, last}) == 3
    assert first == again == around
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not tip.is_displayed()


def test_a_finding_unfolds_to_its_sentence(page):
    finding = page.find_element(By.CSS_SELECTOR, ".finding")
    sentence = finding.find_element(By.TAG_NAME, "p")
    assert not sentence.is_displayed()
    finding.find_element(By.TAG_NAME, "summary").click()
    assert sentence.is_displayed()
    assert "test MAE" in sentence.text


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_window_size(max(width, 500), 900)  # Chromium's own window is never narrower
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        overflow = page.execute_script("return document.documentElement.scrollWidth - innerWidth")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert overflow <= 0
