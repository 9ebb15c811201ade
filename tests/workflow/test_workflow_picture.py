"""The picture of the stages in the documentation."""

import workflow_picture


def test_the_picture_shows_the_rules_as_they_are():
    rules = workflow_picture.stages()
    drawn = workflow_picture.PICTURE.read_text(encoding="utf-8")
    assert workflow_picture.picture(rules, workflow_picture.arrows(rules)) == drawn, "out of date; run `make docs`"
