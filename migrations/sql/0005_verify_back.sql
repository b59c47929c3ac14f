DO $$
DECLARE secured text;
BEGIN
    FOR secured IN SELECT tablename FROM pg_policies WHERE schemaname = 'stockpile' AND policyname = 'verifier' LOOP
        EXECUTE format('DROP POLICY verifier ON stockpile.%I', secured);
    END LOOP;
    EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM stockpile_verifier', current_database());
END $$;
DROP TABLE stockpile.verification;
REVOKE ALL ON ALL TABLES IN SCHEMA stockpile FROM stockpile_verifier;
REVOKE ALL ON SCHEMA stockpile FROM stockpile_verifier;
