"""From a segment to mails in boxes to a report."""


def test_everybody_in_the_segment_gets_one_mail_of_their_own(house):
    house.people("mei", "li", "wang")
    campaign = house.campaign(house.segment(), house.template())
    house.start(campaign)
    assert house.send() == 3
    assert house.states(campaign) == {"sent": 3}
    assert house.mailbox.recipients() == {"mei@tea.example": 1, "li@tea.example": 1, "wang@tea.example": 1}
    mail = house.mailbox.parsed()["mei@tea.example"]
    assert mail["subject"] == "Spring tea for Mei"
    assert "Hello Mei" in mail.get_body(("html",)).get_content()
    assert house.get(f"/v1/campaigns/{campaign}")["status"] == "sent"
