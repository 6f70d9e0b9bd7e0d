"""The widget's address: for every page of every site, always the newest within the hour."""


def test_any_site_may_load_the_widget_and_keeps_it_for_an_hour(browser):
    reply = browser.get("/widget.js")
    assert reply.status_code == 200
    assert reply.mimetype == "text/javascript"
    assert reply.headers["Cache-Control"] == "public, max-age=3600"
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in reply.headers
    again = browser.get("/widget.js", headers={"If-None-Match": reply.headers["ETag"]})
    assert again.status_code == 304
