"""How names are compared: without case, accents and doubled letters, and across scripts."""

from django.db import migrations

# Cyrillic becomes Latin, as it is usually read. Arabic script stays, in one spelling: of the letters
# that Arabic and Persian keyboards write differently, of digits, without marks and joiners.
PLAIN = """
CREATE FUNCTION parking_plain(words text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE plain text := lower(unaccent(replace(lower(words), 'ё', 'o')));
BEGIN
  plain := replace(replace(replace(plain, 'ж', 'zh'), 'ц', 'ts'), 'ч', 'ch');
  plain := replace(replace(replace(replace(plain, 'ш', 'sh'), 'щ', 'sh'), 'ю', 'yu'), 'я', 'ya');
  plain := translate(plain, 'абвгдезийклмнопрстуфхыэ', 'abvgdeziiklmnoprstufhie');
  plain := translate(plain, 'ىيئكةۀأإٱؤ۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩', 'یییکهههاااو01234567890123456789');
  plain := regexp_replace(plain, '[ьъ''’‘`ʻ\u200c\u200d\u0640\u064b-\u0652\u0670]', '', 'g');
  plain := replace(translate(plain, 'yw', 'iv'), 'kh', 'h');
  RETURN regexp_replace(plain, '([^0-9])\\1+', '\\1', 'g');
END $$
"""

# Arabic script leaves most vowels out: what is left of a name in both scripts are consonants. A و
# and an h are silent as often as not, unless a word begins with the former.
BONES = """
CREATE FUNCTION parking_bones(plain text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE bones text := regexp_replace(plain, '(^|[ -])[vو]', '\\1V', 'g');
BEGIN
  bones := replace(replace(replace(bones, 'ch', 'C'), 'gh', 'k'), 'zh', 'j');
  bones := replace(replace(bones, 'ph', 'f'), 'x', 'ks');
  bones := translate(bones, 'cqبپتطثسصشجچژدذزضظرغفقکگلمن', 'kkbpttssssjCjdzzzzrkfkkglmn');
  RETURN translate(bones, 'aeiouhvاآیعهحخوء', '');
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("parking", "0027_search_extensions")]
    operations = [
        migrations.RunSQL(PLAIN, "DROP FUNCTION parking_plain(text)"),
        migrations.RunSQL(BONES, "DROP FUNCTION parking_bones(text)"),
    ]
