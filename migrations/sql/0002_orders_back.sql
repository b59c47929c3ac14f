ALTER TABLE stockpile.document
    DROP CONSTRAINT document_act,
    ADD CONSTRAINT document_act CHECK (act IN ('open', 'declare', 'ship', 'receive', 'reject', 'register gain', 'mark', 'issue', 'hand over', 'return', 'maintain', 'report missing', 'overrun', 'conclude loss', 'recover', 'expend', 'destroy', 'export', 'import again', 'change custodian', 'amend identification', 'correct', 'void')),
    DROP CONSTRAINT document_two_people,
    ADD CONSTRAINT document_two_people CHECK (approved_by IS NOT NULL OR fact OR undo OR NOT act IN ('open', 'register gain', 'conclude loss', 'expend', 'destroy', 'export', 'change custodian', 'amend identification', 'correct'));
ALTER TABLE stockpile.draft DROP CONSTRAINT draft_act, ADD CONSTRAINT draft_act CHECK (act IN ('open', 'declare', 'ship', 'receive', 'reject', 'register gain', 'mark', 'issue', 'hand over', 'return', 'maintain', 'report missing', 'overrun', 'conclude loss', 'recover', 'expend', 'destroy', 'export', 'import again', 'change custodian', 'amend identification', 'correct', 'void'));
