DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.alert_subscription) THEN
        RAISE EXCEPTION 'somebody wants to be told of alerts, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP FUNCTION stockpile.alert_feed_of(bytea);
DROP FUNCTION stockpile.alert_subscription_holds(uuid);
DROP TABLE stockpile.alert_mail_step;
DROP TABLE stockpile.alert_mailed;
DROP TABLE stockpile.alert_mail;
DROP TABLE stockpile.alert_subscription;
DROP FUNCTION stockpile.alert_subscription_ends();
DROP TABLE stockpile.alert;
DROP TABLE stockpile.alert_progress;
