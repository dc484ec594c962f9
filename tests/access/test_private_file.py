from setup_wizard.access import private_file


def test_only_the_owner_can_read_a_private_file(tmp_path):
    file = tmp_path / "token"

    private_file.write(file, "secret")

    assert file.read_text() == "secret"
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_interrupted_write_is_replaced_by_the_next(tmp_path):
    file = tmp_path / "token"
    private_file.write(file, "old")
    file.with_name(".token.new").write_text("half of the ne")

    private_file.write(file, "new")

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("token", "new")]
