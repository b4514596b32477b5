"""Take out of stored events what payers had typed on the processor's page."""

from django.db import migrations

FORGET = """
UPDATE payments_webhookevent SET payload = payload
  #- '{data,object,billing_details}' #- '{data,object,collected_information}'
  #- '{data,object,customer_details}' #- '{data,object,customer_email}'
  #- '{data,object,receipt_email}' #- '{data,object,shipping}'
  #- '{data,object,shipping_details}';
"""


class Migration(migrations.Migration):
    """What was typed cannot be brought back; the way back changes nothing."""

    dependencies = [("payments", "0017_letters_about_accounts")]
    operations = [migrations.RunSQL(FORGET, migrations.RunSQL.noop)]
